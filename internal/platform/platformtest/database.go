package platformtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store/postgres"
)

// server is the address of a PostgreSQL server whose databases the platforms under
// test are kept in, each in one of its own; empty: they are on SQLite. ./scripts/test
// runs the tests of the rooms on both.
func server() string { return os.Getenv("LOOP_TEST_DATABASE") }

// OnPostgres reports whether platforms under test are on PostgreSQL.
func OnPostgres() bool { return server() != "" }

// OnSQLite leaves a test out that is about the files of SQLite.
func OnSQLite(t testing.TB) {
	t.Helper()
	if OnPostgres() {
		t.Skip("it is about the files of SQLite, and this run is on PostgreSQL")
	}
}

var databases atomic.Int64

// addDatabase makes a database that is a copy of another one, or a new one with all
// migrations, and gives its address.
func addDatabase(template string) (address string, err error) {
	name := fmt.Sprintf("platform_%d_%d", os.Getpid(), databases.Add(1))
	from := ""
	if template != "" {
		from = " TEMPLATE " + pgx.Identifier{nameOf(template)}.Sanitize()
	}
	if err := atServer(`CREATE DATABASE ` + pgx.Identifier{name}.Sanitize() + from); err != nil {
		return "", err
	}
	u, err := url.Parse(server())
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	if template == "" {
		_, err = postgres.Migrate(context.Background(), postgres.Config{URL: u.String(), World: loop.Machine{}})
	}
	return u.String(), err
}

// dropDatabase deletes a database, whoever is still connected to it.
func dropDatabase(address string) error {
	return atServer(`DROP DATABASE ` + pgx.Identifier{nameOf(address)}.Sanitize() + ` WITH (FORCE)`)
}

func nameOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		panic("platformtest: " + err.Error())
	}
	return u.Path[1:]
}

func atServer(statement string) error {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, server())
	if err != nil {
		return err
	}
	defer conn.Close(ctx) //nolint:errcheck // it is over
	_, err = conn.Exec(ctx, statement)
	return err
}
