//go:build unix

package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// errNoPooler says that there is no PgBouncer on this machine.
var errNoPooler = fmt.Errorf("PgBouncer is not there (Debian's package pgbouncer): %w", ErrMissing)

// Pooler is a PgBouncer in front of a server.
type Pooler struct{ port int }

// StartPooler starts one in front of the server that an address is of; it ends with
// the test. The mode is PgBouncer's pool_mode; its settings are otherwise its own, but
// for lines like "default_pool_size = 5", which count for each database. It gives the
// sessions of a test that is over back to the server after a second: by itself it would
// keep them for ten minutes, and the server runs out of them.
func StartPooler(t testing.TB, address, mode string, settings ...string) *Pooler {
	t.Helper()
	program, err := pgbouncer()
	Need(t, err)
	folder, err := os.MkdirTemp("", "loop-pgbouncer-")
	Need(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	port, err := freePort()
	Need(t, err)
	Need(t, configurePooler(folder, address, mode, port, settings))
	stop, err := runPooler(program, folder)
	Need(t, err)
	t.Cleanup(stop)
	return &Pooler{port}
}

// URL is where a database of the server is reached through it.
func (p *Pooler) URL(t testing.TB, address string) string {
	t.Helper()
	to, err := url.Parse(address)
	Need(t, err)
	to.Host = net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port))
	return to.String()
}

// pgbouncer finds the program, which Debian puts where a user's path does not look.
func pgbouncer() (string, error) {
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errNoPooler
}

// configurePooler lets everybody in, as the database's user: it listens on loopback
// for as long as a test runs.
func configurePooler(folder, address, mode string, port int, settings []string) error {
	to, err := url.Parse(address)
	if err != nil {
		return err
	}
	password, _ := to.User.Password()
	file := filepath.Join(folder, "pgbouncer.ini")
	text := fmt.Sprintf("[databases]\n* = host=%s port=%s user=%s password=%s\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %d\nunix_socket_dir =\nauth_type = any\npool_mode = %s\nserver_idle_timeout = 1\n",
		to.Hostname(), to.Port(), to.User.Username(), password, port, mode)
	for _, setting := range settings {
		text += setting + "\n"
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	return giveAway(folder, file)
}

// runPooler starts the program and returns when it takes connections.
func runPooler(program, folder string) (stop func(), err error) {
	cmd := exec.CommandContext(context.Background(), program, filepath.Join(folder, "pgbouncer.ini")) //nolint:gosec // G204: of this package's own choosing
	cmd.Dir = "/"
	if err := asNobody(cmd); err != nil {
		return nil, err
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	log, ended := newTail("process up"), make(chan struct{})
	go func() {
		log.read(stderr)
		_ = cmd.Wait() // how it ended, its log says
		close(ended)
	}()
	select {
	case <-log.ready:
		return func() {
			if err := cmd.Process.Signal(syscall.SIGTERM); err == nil || errors.Is(err, os.ErrProcessDone) {
				<-ended
			}
		}, nil
	case <-ended:
		return nil, fmt.Errorf("PgBouncer ended at once: %s", log)
	}
}
