package fault

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/test/process"
)

// server is a `loop serve` that the test starts, breaks and starts again.
type server struct {
	t          *testing.T
	engine     engine
	folder     string
	binary     string
	wrap       []string // a program that starts the server, such as one that takes its files away
	identity   string   // addresses, for the world
	clinical   string
	operations string
	at         map[string]string // where this one listens for an address of many; else it is the address itself
	env        []string
	process    *process.Process
	app        app
}

// app is a client of the platform, with its secret.
type app struct {
	ID     string `json:"client_id"`
	Secret string `json:"client_secret"`
}

const callback = "http://localhost:5000/callback"

// newServer makes a server that has not been started.
func newServer(t *testing.T, e engine, folder string) *server {
	t.Helper()
	addresses := freeAddresses(t, 4)
	s := &server{
		t: t, engine: e, folder: folder, binary: loopBinary,
		identity: "http://" + addresses[0], clinical: "http://" + addresses[1], operations: "http://" + addresses[3],
	}
	s.env = append([]string{
		"LOOP_DIR=" + folder, "LOOP_MASTER_KEY=" + newMasterKey(), "LOOP_LIMITS=off",
		"LOOP_IDENTITY_URL=" + s.identity, "LOOP_CLINICAL_URL=" + s.clinical, "LOOP_DEVELOPERS_URL=http://" + addresses[2],
		"LOOP_IDENTITY_LISTEN=" + addresses[0], "LOOP_CLINICAL_LISTEN=" + addresses[1], "LOOP_DEVELOPERS_LISTEN=" + addresses[2],
		"LOOP_OPERATIONS_LISTEN=" + addresses[3],
	}, e.settings(t, folder)...)
	return s
}

// startServer starts a server with an app.
func startServer(t *testing.T, e engine) *server {
	t.Helper()
	s := newServer(t, e, t.TempDir())
	s.start()
	s.app = s.newApp()
	return s
}

// replica makes another server of the same platform, which has not been started: with
// a folder and listeners of its own.
func (s *server) replica() *server {
	s.t.Helper()
	addresses := freeAddresses(s.t, 4)
	other := *s
	other.folder, other.process, other.operations = s.t.TempDir(), nil, "http://"+addresses[3]
	other.at = map[string]string{host(s.identity): addresses[0], host(s.clinical): addresses[1]}
	other.env = append(slices.Clone(s.env), "LOOP_DIR="+other.folder,
		"LOOP_IDENTITY_LISTEN="+addresses[0], "LOOP_CLINICAL_LISTEN="+addresses[1], "LOOP_DEVELOPERS_LISTEN="+addresses[2], "LOOP_OPERATIONS_LISTEN="+addresses[3])
	return &other
}

func host(address string) string { return strings.TrimPrefix(address, "http://") }

// transport connects to this server, whichever others have its address.
func (s *server) transport() *http.Transport {
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, network, cmp.Or(s.at[address], address))
	}}
	s.t.Cleanup(transport.CloseIdleConnections)
	return transport
}

func newMasterKey() string {
	var key [32]byte
	_, _ = rand.Read(key[:])
	return base64.StdEncoding.EncodeToString(key[:])
}

// freeAddresses gives addresses on loopback that nobody listens on.
func freeAddresses(t *testing.T, count int) []string {
	t.Helper()
	addresses := make([]string, count)
	for i := range addresses {
		var config net.ListenConfig
		listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close() //nolint:errcheck // together, so that none is given twice
		addresses[i] = listener.Addr().String()
	}
	return addresses
}

func (s *server) command(args ...string) *exec.Cmd {
	words := append([]string{s.binary}, args...)
	if args[0] == "serve" {
		words = append(append([]string{}, s.wrap...), words...)
	}
	cmd := exec.Command(words[0], words[1:]...) //nolint:noctx // process.Start ends it with its group
	cmd.Env = process.Inherit(s.env...)
	return cmd
}

// start starts the server and waits until it is ready.
func (s *server) start() {
	s.t.Helper()
	s.startWith()
}

// startWith starts the server with flags.
func (s *server) startWith(flags ...string) {
	s.t.Helper()
	s.process = process.Start(s.t, s.command(append([]string{"serve"}, flags...)...))
	s.process.AwaitLine(s.t, s.process.Stdout, "ready")
}

// stop ends the server as a service manager does, and holds it to a clean end.
func (s *server) stop() {
	s.t.Helper()
	if status := s.process.Stop(s.t); status != 0 {
		s.t.Errorf("loop serve ended with status %d after SIGTERM:\n%s", status, process.Tail(s.process.Stderr.String()))
	}
	s.sound()
}

// sound looks for what no server may do in all its life.
func (s *server) sound() {
	s.t.Helper()
	if s.process.Raced() || strings.Contains(s.process.Stderr.String(), `"msg":"panic"`) {
		s.t.Errorf("a data race or a panic:\n%s", process.Tail(s.process.Stderr.String()))
	}
}

// try runs a command and gives what it said.
func (s *server) try(args ...string) (stdout, stderr string, status int) {
	s.t.Helper()
	called := process.Start(s.t, s.command(args...))
	status = called.Wait(s.t)
	return called.Stdout.String(), called.Stderr.String(), status
}

// loop runs a command that must succeed.
func (s *server) loop(args ...string) string {
	s.t.Helper()
	out, complaint, status := s.try(args...)
	if status != 0 {
		s.t.Fatalf("loop %s: status %d: %s\n%s", strings.Join(args, " "), status, complaint, process.Tail(s.process.Stderr.String()))
	}
	return out
}

// object runs a command with --json and reads its answer.
func (s *server) object(into any, args ...string) {
	s.t.Helper()
	if err := json.Unmarshal([]byte(s.loop(append(args, "--json")...)), into); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) newApp(more ...string) (made app) {
	s.t.Helper()
	s.object(&made, append([]string{
		"client", "create", "--name", "Morning Labs", "--redirect-uri", callback, "--scope", "openid profile read:biomarkers",
	}, more...)...)
	return made
}

// ready asks /readyz, and gives the status and what it says; 0 where nobody
// answers.
func (s *server) ready() (status int, says string) {
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(s.operations + "/readyz") //nolint:noctx // it has a time limit
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	body, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(body)
}

// awaitReady asks until /readyz answers with the status.
func (s *server) awaitReady(t *testing.T, want int) (says string) {
	t.Helper()
	return await(t, fmt.Sprintf("/readyz is never %d", want), func() (string, bool) {
		status, says := s.ready()
		return says, status == want
	})
}

// await asks again and again for what comes by itself.
func await(t *testing.T, never string, ask func() (says string, done bool)) string {
	t.Helper()
	var says string
	for giveUp := time.Now().Add(process.Patience); time.Now().Before(giveUp); time.Sleep(20 * time.Millisecond) {
		var done bool
		if says, done = ask(); done {
			return says
		}
	}
	t.Fatalf("%s: %s", never, says)
	return ""
}

// verifyAudit holds the record to its chain and its checkpoints.
func (s *server) verifyAudit() {
	s.t.Helper()
	if out, complaint, status := s.try("audit", "verify"); status != 0 {
		s.t.Errorf("loop audit verify: status %d:\n%s%s", status, out, complaint)
	}
}
