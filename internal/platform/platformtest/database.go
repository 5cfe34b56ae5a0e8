package platformtest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // the database of a test, by database/sql
	_ "modernc.org/sqlite"             // likewise

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

// Database opens what a room keeps, identity or clinical, as somebody can who has the
// files or the database's address. The platform may run, or be closed.
func (p *Platform) Database(t testing.TB, room string) *sql.DB {
	t.Helper()
	driver, source := "sqlite", filepath.Join(p.Folder, room+".db")+"?_pragma=busy_timeout(5000)"
	if p.config.Database != "" {
		u, err := url.Parse(p.config.Database)
		if err != nil {
			t.Fatal(err)
		}
		query := u.Query()
		query.Set("search_path", room+",shared")
		u.RawQuery = query.Encode()
		driver, source = "pgx", u.String()
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// Count counts the rows of a table of a room; a condition may follow the table.
func (p *Platform) Count(t testing.TB, room, table string) (rows int64) {
	t.Helper()
	db := p.Database(t, room)
	defer db.Close() //nolint:errcheck // it was only asked
	if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM `+table).Scan(&rows); err != nil {
		t.Fatal(err)
	}
	return rows
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
