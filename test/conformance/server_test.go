package conformance

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/loop-health/loop/test/process"
)

// The names under which the platform and the apps are reached, all of them on
// this machine.
const (
	identityHost   = "identity.loop.example"
	clinicalHost   = "clinical.loop.example"
	developersHost = "developers.loop.example"
	appHost        = "app.example"

	issuer   = "https://" + identityHost
	clinical = "https://" + clinicalHost
)

// server is a running `loop serve`.
type server struct {
	t         *testing.T // it lives as long as this test
	folder    string
	authority *authority
	settings  []string          // its environment
	hosts     map[string]string // where each name is reached
	process   *process.Process
	ada, bert *member
	crowd     *crowd
}

// startServer starts the platform with two members, and the apps' receiver. What a
// test needs beside is added to the configuration.
func startServer(t *testing.T, adds ...func(*testing.T, *server)) *server {
	t.Helper()
	s := &server{t: t, folder: filepath.Join(t.TempDir(), "data"), authority: newAuthority(t), crowd: &crowd{}}
	address := freeAddress(t)
	s.hosts = map[string]string{identityHost: address, clinicalHost: address, developersHost: address, appHost: s.startReceiver(t)}
	certificate, key := writePair(t, t.TempDir(), s.authority.server(t, "*.loop.example"))
	s.settings = []string{
		"LOOP_DIR=" + s.folder, "LOOP_MASTER_KEY=" + masterKey(),
		"LOOP_IDENTITY_URL=" + issuer, "LOOP_CLINICAL_URL=" + clinical, "LOOP_DEVELOPERS_URL=https://" + developersHost,
		"LOOP_IDENTITY_LISTEN=" + address, "LOOP_CLINICAL_LISTEN=" + address, "LOOP_DEVELOPERS_LISTEN=" + address,
		"LOOP_TLS_CERTIFICATE=" + certificate, "LOOP_TLS_KEY=" + key,
	}
	for _, add := range adds {
		add(t, s)
	}
	s.start()
	s.ada, s.bert = s.newMember(t, "Ada", "ada"), s.newMember(t, "Bert", "bert")
	return s
}

func (s *server) start() {
	s.t.Helper()
	started := process.Start(s.t, s.command("serve"))
	started.AwaitLine(s.t, started.Stdout, "ready")
	s.process = started
	s.t.Cleanup(func() {
		if s.process == started { // nobody stopped it meanwhile
			s.stop()
		}
	})
}

// stop ends the server and holds it to a clean end.
func (s *server) stop() {
	s.t.Helper()
	if status := s.process.Stop(s.t); status != 0 {
		s.t.Errorf("loop serve ended with status %d after SIGTERM", status)
	}
	if s.process.Raced() {
		s.t.Errorf("loop serve has a data race:\n%s", process.Tail(s.process.Stderr.String()))
	}
	s.process = nil
}

func (s *server) command(args ...string) *exec.Cmd {
	cmd := exec.Command(loopBinary, args...) //nolint:noctx // Start ends it with its whole process group
	cmd.Env = process.Inherit(s.settings...)
	return cmd
}

// loop runs a command of the operator's against the server and reads its JSON.
func (s *server) loop(t *testing.T, into any, args ...string) {
	t.Helper()
	called := process.Start(t, s.command(append(args, "--json")...))
	if status := called.Wait(t); status != 0 {
		t.Fatalf("loop %s ended with status %d:\n%s%s", strings.Join(args, " "), status, called.Stdout, called.Stderr)
	}
	if err := json.Unmarshal([]byte(called.Stdout.String()), into); err != nil {
		t.Fatalf("loop %s: %v", strings.Join(args, " "), err)
	}
}

// transport reaches the names of this test and nothing else. Each comes from an
// address of its own, as far as the system has them, so that limits by address
// distinguish people.
func (s *server) transport(t *testing.T, certificates ...tls.Certificate) *http.Transport {
	t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: loopback()}}
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: s.authority.pool(), MinVersion: tls.VersionTLS12, Certificates: certificates},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			name, _, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			at, known := s.hosts[name]
			if !known {
				return nil, fmt.Errorf("a request was led to %s, which is nobody's here", address)
			}
			return dialer.DialContext(ctx, network, at)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// loopback is an address of this machine that probably nobody else uses; the one
// that all use where the system has no other.
func loopback() net.IP {
	if runtime.GOOS != "linux" {
		return net.IPv4(127, 0, 0, 1)
	}
	var raw [3]byte
	_, _ = rand.Read(raw[:]) // never fails
	return net.IPv4(127, raw[0], raw[1], 1+raw[2]/2)
}

// freeAddress is a loopback address on which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", net.JoinHostPort(loopback().String(), "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

func masterKey() string {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails
	return base64.StdEncoding.EncodeToString(raw[:])
}
