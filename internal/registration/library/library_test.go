package library_test

import (
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/registration/library"
)

func table(t *testing.T) library.Table {
	t.Helper()
	all, err := library.Read()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEveryLibraryGivesAClientThatCanBeRegistered(t *testing.T) {
	for _, l := range table(t) {
		for _, kind := range []loop.ClientType{loop.Confidential, loop.Public} {
			if l.Type != "" && l.Type != kind {
				continue
			}
			c := registration.New()
			c.Name, c.Type, c.RedirectURIs = "Morning Labs", kind, []loop.RedirectURI{"https://app.example.com/cb"}
			c.SetDefaults()
			l.Apply(c)
			if faults := c.Validate(); len(faults) > 0 || c.Protocol.Software != l.ID {
				t.Errorf("%s, %s: %v", l.ID, kind, faults)
			}
		}
	}
}

func TestTheLinesNameTheAppsOwnValues(t *testing.T) {
	values := library.Values{ClientID: "client_x", Issuer: "https://identity.example", RedirectURI: "https://app.example.com/cb", Scope: "openid email"}
	for _, l := range table(t) {
		lines, err := l.Filled(values)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{"client_x", "https://identity.example"} {
			if !strings.Contains(lines, part) {
				t.Errorf("the lines of %s do not name %s", l.ID, part)
			}
		}
	}
}

func TestALibraryThatIsNotThereIsNotFound(t *testing.T) {
	if _, ok := table(t).Find("netscape"); ok {
		t.Error("it is")
	}
}
