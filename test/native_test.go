package test

import (
	"encoding/json"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loop-health/loop/test/process"
)

// An app on the member's own machine: its browser comes back to a port that nobody has
// registered, and the next start needs no browser.
func TestTheNativeExampleSignsInOverLoopback(t *testing.T) {
	needChromium(t)
	p := startPlatform(t)
	binary := filepath.Join(t.TempDir(), "native")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./examples/native")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the example: %v: %s", err, out)
	}
	out, complaint, status := p.loop(t, "client", "create", "--type", "public", "--name", "Results on my desk", "--redirect-uri", "http://127.0.0.1/callback",
		"--scope", "openid profile read:biomarkers", "--json")
	if status != 0 {
		t.Fatalf("registering the app: %s", complaint)
	}
	var made struct {
		ID string `json:"client_id"`
	}
	if err := json.Unmarshal([]byte(out), &made); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	start := func() *process.Process {
		cmd := exec.CommandContext(t.Context(), binary)
		cmd.Env = process.Inherit("HOME="+home, "XDG_CONFIG_HOME="+home, "LOOP_IDENTITY_URL="+p.env["LOOP_IDENTITY_URL"], "LOOP_CLINICAL_URL="+p.env["LOOP_CLINICAL_URL"], "LOOP_CLIENT_ID="+made.ID)
		return process.Start(t, cmd)
	}
	first := start()
	address := strings.TrimPrefix(first.AwaitLine(t, first.Stdout, "open "), "open ")
	b := p.browser(t)
	b.open(t, address)
	b.signIn(t, "LOOP_MEMBER")
	if status := b.press(t, "allow"); status != http.StatusOK || !strings.Contains(b.text(), "close this window") {
		t.Fatalf("after consent the app answers %d: %s", status, b.text())
	}
	if status := first.Wait(t); status != 0 {
		t.Fatalf("it ended with status %d: %s", status, first.Stderr.String())
	}
	_, shown, _ := strings.Cut(first.Stdout.String(), "\n")
	if strings.Count(shown, "\n") < 20 {
		t.Errorf("it shows: %s", shown)
	}
	second := start()
	if status := second.Wait(t); status != 0 || second.Stdout.String() != shown {
		t.Errorf("started again it ends with status %d and shows: %s%s", status, second.Stdout.String(), second.Stderr.String())
	}
}
