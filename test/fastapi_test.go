package test

import (
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/loop-health/loop/test/process"
)

func TestTheFastAPIExampleReadsLabResults(t *testing.T) {
	needChromium(t)
	python := needPython(t, "fastapi, uvicorn, httpx, itsdangerous, authlib")
	p := startPlatform(t, "--no-quickstart")
	redirect, err := url.Parse(p.env["LOOP_REDIRECT_URI"])
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "-m", "uvicorn", "app:app", "--host", "localhost", "--port", redirect.Port(), "--no-access-log")
	cmd.Dir = filepath.Join("..", "examples", "python-fastapi")
	cmd.Env = process.Inherit(append(p.settings(), "PYTHONDONTWRITEBYTECODE=1")...)
	app := process.Start(t, cmd)
	app.AwaitLine(t, app.Stderr, "INFO:     Uvicorn running")

	p.readsResults(t)
	p.verifyAudit(t)
}

// settings are those of dev.env, as an app gets them.
func (p *platform) settings() (settings []string) {
	for name, value := range p.env {
		settings = append(settings, name+"="+value)
	}
	return settings
}

// readsResults takes a member through the app that the platform's own client belongs to,
// and holds what it shows to what it should.
func (p *platform) readsResults(t *testing.T) {
	t.Helper()
	b := p.browser(t)
	b.open(t, trimCallback(p.env["LOOP_REDIRECT_URI"])+"/login")
	b.signIn(t, "LOOP_MEMBER")
	if status := b.press(t, "allow"); status != http.StatusOK {
		t.Fatalf("after consent the app answers %d:\n%s", status, b.text())
	}
	got := b.shown(t)
	if got.Message != "Connected to Loop!" || got.Scopes != "openid profile read:biomarkers" || len(parseBiomarkers(got.Biomarkers)) < 20 {
		t.Errorf("the app shows %q, scopes %q, %d results", got.Message, got.Scopes, len(parseBiomarkers(got.Biomarkers)))
	}
}
