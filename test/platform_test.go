package test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loop-health/loop/test/process"
)

// domain is the one under which the quickstart's own app expects the platform.
const domain = "platform.loop.health"

// platform is a running `loop dev` in a folder of its own.
type platform struct {
	t       *testing.T         // a server that a subtest starts again lives as long as the test
	folder  string             // where it was started; its state is in .loop beneath
	server  *process.Process   // nil once it was stopped
	logs    []*process.Process // every server that ran on the folder
	env     map[string]string  // .loop/dev.env
	args    []string
	secrets *secrets
}

// startPlatform starts `loop dev` on free ports, with further arguments, in a
// folder of its own, and waits until it says that it is ready.
func startPlatform(t *testing.T, args ...string) *platform {
	t.Helper()
	p := &platform{
		t:       t,
		folder:  t.TempDir(),
		args:    append([]string{"dev", "--port", "0"}, args...),
		secrets: newSecrets(),
	}
	t.Cleanup(func() { p.secrets.searchLogs(t, p) })
	p.start(t)
	return p
}

func (p *platform) start(t *testing.T) {
	t.Helper()
	server := process.Start(p.t, p.command(t, p.args...))
	p.server = server
	p.t.Cleanup(func() {
		if p.server == server { // nobody stopped it meanwhile
			p.stop(p.t)
		}
	})
	p.logs = append(p.logs, p.server)
	p.server.AwaitLine(t, p.server.Stdout, "ready")
	p.env = p.readEnv(t)
	p.secrets.saw("client secret", p.env["LOOP_CLIENT_SECRET"])
	p.secrets.saw("key of the app's cookies", p.env["FLASK_SECRET_KEY"])
	for name, value := range p.env {
		if strings.HasSuffix(name, "_EMAIL") {
			p.secrets.sawOnScreen("e-mail address", value)
		}
		if strings.HasSuffix(name, "_PASSWORD") {
			p.secrets.sawOnScreen("password", value)
		}
	}
}

// stop ends the server as Ctrl-C does and holds it to a clean end.
func (p *platform) stop(t *testing.T) {
	t.Helper()
	status := p.server.Stop(t)
	if status != 0 {
		t.Errorf("loop dev ended with status %d after SIGTERM", status)
	}
	if p.server.Raced() {
		t.Errorf("loop dev has a data race:\n%s", process.Tail(p.server.Stderr.String()))
	}
	p.server = nil
}

// command is a call of the binary in the platform's folder.
func (p *platform) command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(loopBinary, args...) //nolint:noctx // Start ends it with its whole process group
	cmd.Dir = p.folder
	cmd.Env = process.Inherit()
	return cmd
}

// loop calls the binary in the platform's folder and gives what it printed and
// its exit status.
func (p *platform) loop(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	called := process.Start(t, p.command(t, args...))
	status = called.Wait(t)
	return called.Stdout.String(), called.Stderr.String(), status
}

// readEnv sources .loop/dev.env in a shell, as a developer does.
func (p *platform) readEnv(t *testing.T) map[string]string {
	t.Helper()
	path := filepath.Join(p.folder, ".loop", "dev.env")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("dev.env has mode %o, but holds a secret: want 600", mode)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", `. "$1" && env -0`, "sh", path)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("sourcing dev.env: %v", err)
	}
	return parseEnv(string(out))
}

// world is the environment that `loop dev run` gives to a program.
func (p *platform) world(t *testing.T) map[string]string {
	t.Helper()
	out, _, status := p.loop(t, "dev", "run", "--", "env", "-0")
	if status != 0 {
		t.Fatalf("loop dev run -- env ended with status %d", status)
	}
	return parseEnv(out)
}

// parseEnv reads what `env -0` prints.
func parseEnv(out string) map[string]string {
	env := make(map[string]string)
	for entry := range strings.SplitSeq(strings.TrimSuffix(out, "\n"), "\x00") {
		if name, value, ok := strings.Cut(entry, "="); ok {
			env[name] = value
		}
	}
	return env
}

// transport reaches the platform as a program within its world does: under the
// real names through the proxy, trusting the local authority alone.
func (p *platform) transport(t *testing.T) *http.Transport {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	world := p.world(t)
	if world["HTTPS_PROXY"] == "" {
		return transport
	}
	proxy, err := url.Parse(world["HTTPS_PROXY"])
	if err != nil {
		t.Fatal(err)
	}
	authority, err := os.ReadFile(world["SSL_CERT_FILE"])
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		t.Fatal("the bundle of roots holds no certificate")
	}
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	transport.Proxy = func(r *http.Request) (*url.URL, error) {
		if r.URL.Scheme == "https" {
			return proxy, nil
		}
		return nil, nil
	}
	return transport
}

// restart stops the platform and starts it again on the same folder; its ports
// may be others.
func (p *platform) restart(t *testing.T) {
	t.Helper()
	p.stop(t)
	p.start(t)
}
