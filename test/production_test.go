package test

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loop-health/loop/test/process"
)

// The example keeps what it was given: after a restart nobody connects again.
func TestTheProductionExampleKeepsItsMembersOverARestart(t *testing.T) {
	needChromium(t)
	p := startPlatform(t, "--no-quickstart")
	binary := filepath.Join(t.TempDir(), "production")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./examples/production")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the example: %v: %s", err, out)
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	settings := []string{"CONNECT_KEYS=" + base64.StdEncoding.EncodeToString(key)}
	for _, name := range []string{"LOOP_IDENTITY_URL", "LOOP_CLINICAL_URL", "LOOP_CLIENT_ID", "LOOP_CLIENT_SECRET", "LOOP_REDIRECT_URI"} {
		settings = append(settings, name+"="+p.env[name])
	}
	folder := t.TempDir()
	start := func() *process.Process {
		cmd := exec.CommandContext(t.Context(), binary)
		cmd.Dir, cmd.Env = folder, process.Inherit(settings...)
		running := process.Start(t, cmd)
		running.AwaitLine(t, running.Stdout, "open ")
		return running
	}
	first := start()
	app := trimCallback(p.env["LOOP_REDIRECT_URI"])
	b := p.browser(t)
	b.open(t, app+"/login")
	b.signIn(t, "LOOP_MEMBER")
	if status := b.press(t, "allow"); status != http.StatusOK || !strings.Contains(b.text(), `"results":`) {
		t.Fatalf("after consent the example answers %d: %s", status, b.text())
	}
	shown := b.text()
	if status := first.Stop(t); status != 0 {
		t.Errorf("it ended with status %d", status)
	}
	second := start()
	if status := b.open(t, app+"/results"); status != http.StatusOK || b.text() != shown {
		t.Errorf("after a restart it answers %d: %s", status, b.text())
	}
	for _, running := range []*process.Process{first, second} {
		if log := running.Stderr.String(); strings.Contains(log, "lph_") {
			t.Errorf("a token is in its log: %s", process.Tail(log))
		}
	}
	p.verifyAudit(t)
}
