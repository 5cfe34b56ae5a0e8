package fault

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/loop-health/loop/internal/store/postgres/postgrestest"
	"github.com/loop-health/loop/test/process"
)

// postgresEngine keeps each server's state in a database of its own, on a PostgreSQL
// server that all tests share and none breaks.
type postgresEngine struct{}

func (postgresEngine) name() string { return "postgres" }

func (postgresEngine) settings(t *testing.T, _ string) []string {
	t.Helper()
	address := newDatabase(t)
	migrate(t, address)
	return []string{"LOOP_DATABASE=" + address}
}

// commonServer is the server of the tests that break only the platform. Its commits
// are as durable as they are in production.
var commonServer = sync.OnceValues(func() (*postgrestest.Server, error) {
	server, err := postgrestest.New()
	if err != nil {
		return nil, err
	}
	return server, server.Start()
})

var databases atomic.Int64

func newDatabase(t *testing.T) (address string) {
	t.Helper()
	server, err := commonServer()
	postgrestest.Need(t, err)
	address, err = server.CreateDatabase(t.Context(), fmt.Sprintf("fault_%d", databases.Add(1)))
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// removeCommonServer ends it, if it was started.
func removeCommonServer() error {
	if databases.Load() == 0 {
		return nil
	}
	server, err := commonServer()
	if err != nil {
		return nil //nolint:nilerr // there is none
	}
	return server.Remove()
}

// migrate gives a database its schemas.
func migrate(t *testing.T, address string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), loopBinary, "migrate", "up")
	cmd.Env = process.Inherit("LOOP_DATABASE=" + address)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("loop migrate up: %v: %s", err, out)
	}
}

// awaitWrite waits until the log holds a commit that is not on the disk yet.
func (postgresEngine) awaitWrite(t *testing.T, s *server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), process.Patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.setting("LOOP_DATABASE"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it was only asked
	for writing := false; !writing; {
		if err := conn.QueryRow(ctx, `SELECT pg_current_wal_insert_lsn() > pg_current_wal_flush_lsn()`).Scan(&writing); err != nil {
			t.Fatalf("nothing is written: %v", err)
		}
	}
}

// setting is a variable of the server's.
func (s *server) setting(name string) string {
	for _, variable := range s.env {
		if value, ok := strings.CutPrefix(variable, name+"="); ok {
			return value
		}
	}
	return ""
}
