package dev

import (
	"testing"

	"github.com/loop-health/loop/internal/admin"
)

func TestPage_IsFoundByItsName(t *testing.T) {
	t.Parallel()
	i := &Instance{Status: admin.Status{Addresses: map[string]string{"developers": "http://localhost:4002", "quickstart": "http://localhost:5000"}}}
	for name, want := range map[string]string{
		"portal": "http://localhost:4002", "docs": "http://localhost:4002/docs", "": "http://localhost:5000",
		"http://localhost:8080/login": "http://localhost:8080/login", "Docs": "Docs",
	} {
		if page := i.page(name); page != want {
			t.Errorf("%q is %s", name, page)
		}
	}
	delete(i.Status.Addresses, "quickstart")
	if page := i.page(""); page != "http://localhost:4002" {
		t.Errorf("without a quickstart one sees %s first", page)
	}
}

func TestBrowse_RefusesWhatIsNoAddress(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"Docs", "localhost:5000", "javascript:alert(1)", "file:///etc/hosts", "--version"} {
		if status, err := (&Instance{}).Browse(address, nil); status != 1 || err == nil {
			t.Errorf("%s: status %d, %v", address, status, err)
		}
	}
}
