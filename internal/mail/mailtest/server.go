//go:build unix

// Package mailtest runs a mail server for tests: mailpit, on loopback, in memory, with
// a certificate and a password made at run time. What it received it gives back by its
// own interface.
package mailtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	netmail "net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
	"github.com/loop-health/loop/internal/testprocess"
)

// Server is a mail server that ends with the test.
type Server struct {
	SMTP mail.SMTP // reaches it

	t       testing.TB
	flags   []string
	api     string // where its interface is
	process *exec.Cmd
}

// program is mailpit, built from the Go proxy by what tools/mailpit/go.mod pins.
var program = sync.OnceValues(func() (string, error) {
	module, err := pinned()
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(context.Background(), "go", "tool", "-modfile="+module, "-n", "mailpit") //nolint:gosec // G204: this repository's own module
	cmd.Dir = filepath.Dir(module)
	cmd.Env = append(os.Environ(), "GOWORK=off")
	cmd.Stderr = os.Stderr
	path, err := cmd.Output()
	return strings.TrimSpace(string(path)), err
})

// pinned is the module file that says which mailpit, in a folder above the test's.
func pinned() (string, error) {
	folder, err := os.Getwd()
	for above := ""; err == nil && folder != above; above, folder = folder, filepath.Dir(folder) {
		file := filepath.Join(folder, "tools", "mailpit", "go.mod")
		if _, missing := os.Stat(file); missing == nil {
			return file, nil
		}
	}
	return "", errors.Join(err, errors.New("tools/mailpit/go.mod is in no folder above the test's"))
}

// Start starts a server that is reached in this way; it asks for user and password
// where there is TLS.
func Start(t testing.TB, how mail.TLSMode) *Server {
	t.Helper()
	s := &Server{t: t, SMTP: mail.SMTP{
		Host: "127.0.0.1", TLS: how, World: loop.Machine{},
		From: netmail.Address{Name: "Loop", Address: "no-reply@loop.example"},
	}}
	smtp, api := freeAddress(t), freeAddress(t)
	_, port, _ := net.SplitHostPort(smtp)
	s.SMTP.Port, _ = strconv.Atoi(port)
	s.api = "http://" + api
	s.flags = []string{"--quiet", "--disable-version-check", "--smtp", smtp, "--listen", api, "--enable-chaos", "--smtp-disable-rdns"}
	if how != mail.Plain {
		s.protect()
	}
	s.Start()
	t.Cleanup(s.Stop)
	return s
}

// protect has it ask for TLS, a user and a password.
func (s *Server) protect() {
	s.t.Helper()
	folder := s.t.TempDir()
	certificate, key, roots := newCertificate(s.t, folder)
	s.SMTP.User, s.SMTP.Roots = "loop", roots
	s.SMTP.Password = credential.NewSecret(loop.Machine{}, credential.SessionPrefix).Reveal()
	users := filepath.Join(folder, "users")
	if err := os.WriteFile(users, []byte(s.SMTP.User+":"+s.SMTP.Password+"\n"), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.flags = append(s.flags, "--smtp-tls-cert", certificate, "--smtp-tls-key", key, "--smtp-auth-file", users)
	if s.SMTP.TLS == mail.Implicit {
		s.flags = append(s.flags, "--smtp-require-tls")
	} else {
		s.flags = append(s.flags, "--smtp-require-starttls")
	}
}

func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() //nolint:errcheck // somebody else listens there next
	return listener.Addr().String()
}

// Start starts a server that was stopped; what it had received is gone.
func (s *Server) Start() {
	s.t.Helper()
	path, err := program()
	if err != nil {
		s.t.Fatalf("building mailpit: %v", err)
	}
	s.process = exec.CommandContext(context.Background(), path, s.flags...) //nolint:gosec // G204: a server of this package's own choosing
	s.process.Dir = s.t.TempDir()
	s.process.Env = append(os.Environ(), "TZ=UTC")
	testprocess.EndWithParent(s.process, syscall.SIGKILL)
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	for _, address := range []string{s.SMTP.Host + ":" + strconv.Itoa(s.SMTP.Port), strings.TrimPrefix(s.api, "http://")} {
		s.await(address)
	}
}

// await returns once somebody listens: mailpit says so nowhere else.
func (s *Server) await(address string) {
	s.t.Helper()
	for range 1000 {
		conn, err := new(net.Dialer).DialContext(context.Background(), "tcp4", address)
		if err == nil {
			_ = conn.Close() // it was only to see whether it opens
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.t.Fatalf("mailpit does not listen on %s", address)
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

// Refuse has the server answer each recipient with a code from now on; 0: with none.
func (s *Server) Refuse(code int) {
	s.t.Helper()
	trigger := map[string]int{"ErrorCode": code, "Probability": 100}
	if code == 0 {
		trigger = map[string]int{"ErrorCode": 451, "Probability": 0}
	}
	body, _ := json.Marshal(map[string]any{"Recipient": trigger}) // numbers always encode
	s.ask(http.MethodPut, "/api/v1/chaos", string(body), nil)
}

// Received is a mail that the server received.
type Received struct {
	ID      string
	To      []struct{ Address string }
	Subject string
	Text    string
	HTML    string
	Header  netmail.Header `json:"-"`
	Raw     string         `json:"-"`
}

// Received gives all mails to an address, oldest first.
func (s *Server) Received(to loop.Email) []Received {
	s.t.Helper()
	var list struct {
		Messages []struct {
			ID string
			To []struct{ Address string }
		} `json:"messages"`
	}
	s.ask(http.MethodGet, "/api/v1/messages?limit=500", "", &list)
	var all []Received
	for i := len(list.Messages) - 1; i >= 0; i-- {
		one := list.Messages[i]
		if len(one.To) == 1 && one.To[0].Address == string(to) {
			all = append(all, s.received(one.ID))
		}
	}
	return all
}

func (s *Server) received(id string) (r Received) {
	s.t.Helper()
	s.ask(http.MethodGet, "/api/v1/message/"+id, "", &r)
	r.Raw = s.ask(http.MethodGet, "/api/v1/message/"+id+"/raw", "", nil)
	parsed, err := netmail.ReadMessage(strings.NewReader(r.Raw))
	if err != nil {
		s.t.Fatalf("the mail cannot be read: %v", err)
	}
	r.Header = parsed.Header
	return r
}

// Only gives the one mail to an address, and fails the test where there is not exactly
// one.
func (s *Server) Only(to loop.Email) Received {
	s.t.Helper()
	all := s.Received(to)
	if len(all) != 1 {
		s.t.Fatalf("%d mails went to %s", len(all), to)
	}
	return all[0]
}

// Empty forgets what was received.
func (s *Server) Empty() {
	s.t.Helper()
	s.ask(http.MethodDelete, "/api/v1/messages", "", nil)
}

// ask sends a request to the server's interface and decodes its answer.
func (s *Server) ask(method, path, body string, into any) string {
	s.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, s.api+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end below
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("mailpit answered %s: %s", resp.Status, answer)
	}
	if err == nil && into != nil {
		err = json.Unmarshal(answer, into)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return string(answer)
}
