package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestSecurityContact_RFC9116(t *testing.T) {
	t.Parallel()
	host, _ := newTestSite("id.platform.test")
	config := host.Config
	get := func() *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/.well-known/security.txt", nil)
		r.Host = config.PublicURL.Host
		NewSite(config).Handler().ServeHTTP(w, r)
		return w
	}
	if w := get(); w.Code != http.StatusNotFound {
		t.Errorf("without a contact: status %d", w.Code)
	}

	config.SecurityContact = "mailto:security@example.com"
	w := get()
	fields := map[string]string{}
	for line := range strings.Lines(w.Body.String()) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		fields[name] = value
	}
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" || fields["Contact"] != config.SecurityContact {
		t.Fatalf("status %d, %s:\n%s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	if want := config.PublicURL.String() + "/.well-known/security.txt"; fields["Canonical"] != want {
		t.Errorf("Canonical: %s, want %s", fields["Canonical"], want)
	}
	expires, err := time.Parse(time.RFC3339, fields["Expires"])
	if now := config.World.Now(); err != nil || !expires.After(now) || expires.After(now.AddDate(1, 0, 0)) {
		t.Errorf("Expires: %s (%v), want within a year from now", fields["Expires"], err)
	}
}
