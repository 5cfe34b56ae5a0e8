package test

import (
	"net/http"
	"strings"
	"testing"
)

func TestTheGoQuickstartRunsInPlainMode(t *testing.T) {
	needChromium(t)
	p := startPlatform(t)
	quickstart := trimCallback(p.env["LOOP_REDIRECT_URI"])
	b := p.browser(t)

	b.open(t, quickstart+"/login")
	b.signIn(t, "LOOP_MEMBER")
	if status := b.press(t, "allow"); status != http.StatusOK {
		t.Fatalf("after consent the quickstart answers %d:\n%s", status, b.text())
	}
	got := b.shown(t)
	if got.Message != "Connected to Loop!" || got.Scopes != "openid profile read:biomarkers" || len(parseBiomarkers(got.Biomarkers)) < 20 {
		t.Errorf("the quickstart shows %q, scopes %q, %d results", got.Message, got.Scopes, len(parseBiomarkers(got.Biomarkers)))
	}
	p.verifyAudit(t)
}

// trimCallback is the address of an app whose redirect URI ends in /callback.
func trimCallback(redirectURI string) string { return strings.TrimSuffix(redirectURI, "/callback") }
