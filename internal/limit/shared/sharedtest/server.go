//go:build unix

// Package sharedtest runs Valkey or Redis servers for tests: on loopback, in memory
// alone, with a password made at run time.
package sharedtest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/testprocess"
)

// Server is a server that ends with the test.
type Server struct {
	Address string // redis://…

	t       testing.TB
	program string
	port    string
	secret  string
	process *exec.Cmd
}

// Start starts a server. Where there is neither Valkey nor Redis the test is left out;
// with CI=true or LOOP_TEST_STRICT=true it fails.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, secret: credential.NewSecret(loop.Machine{}, credential.SessionPrefix).Reveal()}
	for _, program := range []string{"valkey-server", "redis-server"} {
		if path, err := exec.LookPath(program); err == nil {
			s.program = path
			break
		}
	}
	if s.program == "" {
		missing := "neither valkey-server nor redis-server is there (Debian's package redis-server)"
		if os.Getenv("CI") == "true" || strings.EqualFold(os.Getenv("LOOP_TEST_STRICT"), "true") {
			t.Fatal(missing)
		}
		t.Skip("left out: " + missing)
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, s.port, _ = net.SplitHostPort(listener.Addr().String())
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	s.Address = fmt.Sprintf("redis://:%s@127.0.0.1:%s/0", s.secret, s.port)
	s.Start()
	t.Cleanup(s.Stop)
	return s
}

// Start starts a server that was stopped; what it had counted is gone.
func (s *Server) Start() {
	s.t.Helper()
	s.process = exec.CommandContext(context.Background(), s.program, "-") //nolint:gosec // G204: a server of this package's own choosing
	s.process.Dir = s.t.TempDir()
	testprocess.EndWithParent(s.process, syscall.SIGKILL)
	s.process.Stdin = strings.NewReader(fmt.Sprintf("bind 127.0.0.1\nport %s\nrequirepass %s\nsave \"\"\nappendonly no\n", s.port, s.secret))
	out, err := s.process.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	said := bufio.NewScanner(out)
	for said.Scan() {
		if strings.Contains(strings.ToLower(said.Text()), "ready to accept connections") {
			go io.Copy(io.Discard, out) //nolint:errcheck // so that it never waits for a reader
			return
		}
	}
	s.t.Fatalf("%s has ended: %v", s.program, s.process.Wait())
}

// Stop ends the server at once.
func (s *Server) Stop() {
	if s.process == nil {
		return
	}
	_ = s.process.Process.Kill() // it may have ended
	_ = s.process.Wait()
	s.process = nil
}

// Pause has the server answer nobody until Resume.
func (s *Server) Pause() { _ = s.process.Process.Signal(syscall.SIGSTOP) }

// Resume has it go on.
func (s *Server) Resume() { _ = s.process.Process.Signal(syscall.SIGCONT) }
