package test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFromNothingADeveloperRegistersAnAppAndAMemberConnectsIt(t *testing.T) {
	needChromium(t)
	p := startPlatform(t, "--no-quickstart")

	developer := p.browser(t)
	developer.open(t, p.env["LOOP_DEVELOPERS_URL"]+"/apps")
	developer.signUp(t, "Katherine Johnson", "katherine@developers.example")
	developer.press(t, "new-app")
	developer.fill(t, "name", "Orbit Labs")
	developer.fill(t, "redirect-uri", appAddress+"/callback")
	developer.press(t, "create-app")
	id, secret := developer.textOf(t, "#client-id"), developer.textOf(t, "#secret")
	p.secrets.saw("client secret", secret)

	app := &flaskApp{platform: p, python: needPython(t, "flask, requests"), folder: filepath.Join(p.folder, "app")}
	if err := os.Mkdir(app.folder, 0o700); err != nil {
		t.Fatal(err)
	}
	copyOf(t, filepath.Join("..", "examples", "python-flask", "app.py"), app.folder)
	app.start(t, "LOOP_CLIENT_ID="+id, "LOOP_CLIENT_SECRET="+secret, "LOOP_REDIRECT_URI="+appAddress+"/callback")

	member := p.browser(t)
	member.open(t, appAddress+"/login")
	member.seesVerifier(t)
	member.signIn(t, "LOOP_MEMBER")
	if text := member.text(); !strings.Contains(text, "Orbit Labs") || !strings.Contains(text, "Not verified") {
		t.Errorf("the consent page does not say who asks:\n%s", text)
	}
	for _, step := range []struct {
		name string
		lead func() int
	}{
		{"after consent", func() int { return member.press(t, "allow") }},
		{"after a refresh", func() int { return member.open(t, appAddress+"/refresh") }},
	} {
		if status := step.lead(); status != http.StatusOK {
			t.Fatalf("%s the app answers %d:\n%s", step.name, status, member.text())
		}
		got := member.shown(t)
		if results := parseBiomarkers(got.Biomarkers); got.Message != "Connected to Loop!" || got.Scopes != "openid profile read:biomarkers" || len(results) < 20 {
			t.Errorf("%s the app shows %q, scopes %q, %d results", step.name, got.Message, got.Scopes, len(results))
		}
	}
	if p.env["LOOP_CLIENT_ID"] == id {
		t.Error("the registered app is that of dev.env")
	}
	p.verifyAudit(t)
}
