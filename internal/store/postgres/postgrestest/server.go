//go:build unix

// Package postgrestest runs PostgreSQL servers for tests: on loopback, in temporary
// folders, by a user who is not root, with passwords made at run time.
package postgrestest

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// Server is a PostgreSQL server that runs.
type Server struct {
	Folder string // of its data
	Port   int

	binaries string
	password string
	settings []string
	process  *exec.Cmd
	log      *tail
	ended    chan struct{}
}

// user is whom the servers' databases belong to.
const user = "loop"

// ErrMissing says that there is no PostgreSQL on this machine.
var ErrMissing = errors.New("PostgreSQL's programs are not there (Debian's package postgresql)")

// Binaries finds the folder of PostgreSQL's programs, of the newest version there is.
func Binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err == nil && len(found) > 0 {
		return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", ErrMissing
}

func version(path string) int {
	number, _ := strconv.Atoi(strings.Split(path, "/")[4])
	return number
}

// New makes the data folder of a server, which does not run yet. Settings are lines
// like "fsync=off".
func New(settings ...string) (*Server, error) {
	s := &Server{password: rand.Text(), settings: settings}
	var err error
	if s.binaries, err = Binaries(); err != nil {
		return nil, err
	}
	if s.Folder, err = os.MkdirTemp("", "loop-postgres-"); err != nil {
		return nil, err
	}
	if err := s.initialise(); err != nil {
		_ = s.Remove()
		return nil, err
	}
	return s, nil
}

func (s *Server) initialise() error {
	file := s.Folder + ".password"
	if err := os.WriteFile(file, []byte(s.password), 0o600); err != nil {
		return err
	}
	defer os.Remove(file) //nolint:errcheck // a password of nothing that lasts
	if err := giveAway(s.Folder, file); err != nil {
		return err
	}
	return s.Run("initdb", "-D", s.Folder, "-U", user, "--auth=scram-sha-256", "--pwfile="+file, "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
}

// Clone makes a standby of a server that runs: a copy of its data that follows it
// under the name.
func (s *Server) Clone(name string, settings ...string) (*Server, error) {
	standby := &Server{password: s.password, binaries: s.binaries, settings: append(slices.Clone(s.settings), settings...)}
	var err error
	if standby.Folder, err = os.MkdirTemp("", "loop-postgres-"); err != nil {
		return nil, err
	}
	primary := s.URL("postgres") + "&application_name=" + name
	if err = giveAway(standby.Folder); err == nil {
		err = s.Run("pg_basebackup", "-D", standby.Folder, "-d", primary, "-R", "--checkpoint=fast", "--wal-method=stream", "--no-sync")
	}
	if err != nil {
		_ = standby.Remove()
		return nil, err
	}
	return standby, nil
}

// Run runs one of PostgreSQL's programs as the servers' user.
func (s *Server) Run(program string, args ...string) error {
	cmd := exec.CommandContext(context.Background(), filepath.Join(s.binaries, program), args...) //nolint:gosec // G204: of this package's own choosing
	cmd.Dir = "/"
	if err := asNobody(cmd); err != nil {
		return err
	}
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, output)
	}
	return nil
}

// Start starts the server and returns when it takes connections. It listens on the
// port that it had before, where it ran before.
func (s *Server) Start() error {
	if s.Port == 0 {
		port, err := freePort()
		if err != nil {
			return err
		}
		s.Port = port
	}
	args := []string{"-D", s.Folder, "-p", strconv.Itoa(s.Port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=400"}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	s.process = exec.CommandContext(context.Background(), filepath.Join(s.binaries, "postgres"), args...) //nolint:gosec // G204: of this package's own choosing
	s.process.Dir = "/"
	if err := asNobody(s.process); err != nil {
		return err
	}
	stderr, err := s.process.StderrPipe()
	if err != nil {
		return err
	}
	if err := s.process.Start(); err != nil {
		return err
	}
	s.log, s.ended = newTail("ready to accept"), make(chan struct{})
	go func() {
		s.log.read(stderr)
		_ = s.process.Wait() // how it ended, its log says
		close(s.ended)
	}()
	select {
	case <-s.log.ready:
		return nil
	case <-s.ended:
		return fmt.Errorf("the server ended at once: %s", s.log)
	}
}

// URL is the address of one of its databases.
func (s *Server) URL(database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(user, s.password), Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)), Path: "/" + database}
	u.RawQuery = "sslmode=disable"
	return u.String()
}

// CreateDatabase makes an empty database and gives its address.
func (s *Server) CreateDatabase(ctx context.Context, name string) (string, error) {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return "", err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it is over
	if _, err := conn.Exec(ctx, `CREATE DATABASE `+pgx.Identifier{name}.Sanitize()); err != nil {
		return "", err
	}
	return s.URL(name), nil
}

// Stop ends the server: SIGINT disconnects everybody and shuts down in order, SIGQUIT
// is as good as a crash. It returns when the server has ended.
func (s *Server) Stop(how syscall.Signal) error {
	if s.process == nil {
		return nil
	}
	if err := s.process.Process.Signal(how); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-s.ended
	s.process = nil
	return nil
}

// Remove stops the server and deletes its data.
func (s *Server) Remove() error {
	return errors.Join(s.Stop(syscall.SIGQUIT), os.RemoveAll(s.Folder))
}

// tail keeps what a server has logged last, and closes ready when that has the sign.
type tail struct {
	sign  string // of being ready
	ready chan struct{}
	mu    sync.Mutex
	lines []string
}

func newTail(sign string) *tail { return &tail{sign: sign, ready: make(chan struct{})} }

func (t *tail) read(from io.Reader) {
	var once sync.Once
	for lines := bufio.NewScanner(from); lines.Scan(); {
		t.mu.Lock()
		t.lines = append(t.lines[max(0, len(t.lines)-40):], lines.Text())
		t.mu.Unlock()
		if strings.Contains(lines.Text(), t.sign) {
			once.Do(func() { close(t.ready) })
		}
	}
}

// String is what it has logged last.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.lines, "\n")
}

func freePort() (int, error) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close() //nolint:errcheck // it was only asked for its number
	tcp, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("%s is no address of TCP", listener.Addr())
	}
	return tcp.Port, nil
}
