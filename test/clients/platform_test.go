package clients

import (
	"bufio"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loop-health/loop/test/process"
)

// platform is a running `loop dev`, which all libraries of a run share.
type platform struct {
	folder string
	server *process.Process
	env    map[string]string // .loop/dev.env
}

// startPlatform starts `loop dev` on free ports and without limits: the apps have one
// address together.
func startPlatform(t *testing.T) *platform {
	t.Helper()
	p := &platform{folder: t.TempDir()}
	p.server = process.Start(t, p.command("dev", "--port", "0", "--no-quickstart", "--limits", "off"))
	p.server.AwaitLine(t, p.server.Stdout, "ready")
	t.Cleanup(func() { p.stop(t) })
	sourced := exec.CommandContext(t.Context(), "sh", "-c", `. "$1" && env`, "sh", filepath.Join(p.folder, ".loop", "dev.env"))
	out, err := sourced.Output()
	if err != nil {
		t.Fatalf("sourcing dev.env: %v", err)
	}
	p.env = make(map[string]string)
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		p.env[name] = value
	}
	return p
}

// stop ends the server as Ctrl-C does and holds it to a clean end.
func (p *platform) stop(t *testing.T) {
	t.Helper()
	if status := p.server.Stop(t); status != 0 {
		t.Errorf("loop dev ended with status %d after SIGTERM", status)
	}
	if p.server.Raced() {
		t.Errorf("loop dev has a data race:\n%s", process.Tail(p.server.Stderr.String()))
	}
}

func (p *platform) issuer() string { return p.env["LOOP_IDENTITY_URL"] }

func (p *platform) command(args ...string) *exec.Cmd {
	cmd := exec.Command(loopBinary, args...) //nolint:noctx // Start ends it with its whole process group
	cmd.Dir = p.folder
	cmd.Env = process.Inherit()
	return cmd
}

// loop runs a command of the operator's and reads its JSON.
func (p *platform) loop(t *testing.T, into any, args ...string) {
	t.Helper()
	called := process.Start(t, p.command(append(args, "--json")...))
	if status := called.Wait(t); status != 0 {
		t.Fatalf("loop %s ended with status %d:\n%s%s", strings.Join(args, " "), status, called.Stdout, called.Stderr)
	}
	if err := json.Unmarshal([]byte(called.Stdout.String()), into); err != nil {
		t.Fatalf("loop %s: %v", strings.Join(args, " "), err)
	}
}

// disconnect ends what the member allowed the client.
func (p *platform) disconnect(t *testing.T, client string) {
	t.Helper()
	var list []struct {
		ID     string `json:"grant_id"`
		Client string `json:"client_id"`
	}
	p.loop(t, &list, "grant", "list")
	for _, grant := range list {
		if grant.Client == client {
			var ended json.RawMessage
			p.loop(t, &ended, "grant", "revoke", grant.ID)
			return
		}
	}
	t.Fatalf("the member has allowed %s nothing", client)
}

// refusal is the last refusal of a request of the client's that `loop dev` showed on
// its terminal: error and description; empty where there was none.
func (p *platform) refusal(client string) string {
	var last, code, description string
	lines := bufio.NewScanner(strings.NewReader(p.server.Stdout.String()))
	for lines.Scan() {
		text := strings.TrimSpace(lines.Text())
		switch {
		case strings.HasPrefix(text, "refused "):
			_, code, _ = strings.Cut(text, ": ")
			code, _, _ = strings.Cut(code, " (")
			description = ""
		case text == "client: "+client && code != "insufficient_scope": // that is asked for by the test
			last = code + ": " + description
		case description == "" && !strings.HasPrefix(text, "parameter: "):
			description = text
		}
	}
	return last
}
