//go:build unix

package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store/postgres"
)

// process is one of those that serve on a database.
type process struct {
	*postgres.IdentityStore
	*postgres.Presence
	revocations *oauth.Revocations
}

func serve(t *testing.T, config postgres.Config, w *loop.Clock) process {
	t.Helper()
	return serveOn(t, open(t, postgres.Identity, config), w)
}

func serveOn(t *testing.T, db *postgres.Database, w *loop.Clock) process {
	t.Helper()
	p := process{revocations: oauth.NewRevocations()}
	p.IdentityStore = postgres.NewIdentity(db, openMemberKeys(t, db.Config()), p.revocations)
	var err error
	if p.Presence, err = p.Serve(t.Context(), w, func(context.Context) error { return nil }, db); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Leave)
	return p
}

// run executes a statement as somebody who has the database.
func run(t *testing.T, config postgres.Config, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), config.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // it is over
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// eventually waits for what comes by itself.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for giveUp := time.Now().Add(20 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(giveUp) {
			t.Fatalf("it never comes: %s", what)
		}
	}
}

// holdLeases lets nobody renew a lease until the function that it gives is called.
func holdLeases(t *testing.T, config postgres.Config) (release func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), config.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `BEGIN; LOCK TABLE shared.leases IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	return func() { _ = conn.Close(context.WithoutCancel(t.Context())) }
}

func revokeToken(t *testing.T, p process, id string) error {
	t.Helper()
	return p.Decide(t.Context(), oauth.Subject{}, func(oauth.State) (oauth.Change, error) {
		return oauth.Change{
			Revoke:  []loop.Revocation{{Kind: loop.RevokeToken, ID: id, ExpiresAt: time.Now().Add(time.Hour)}},
			Records: []audit.Record{{At: time.Now(), Event: audit.TokenRevoked, Actor: audit.Actor{Kind: audit.ByClient}}},
		}, nil
	})
}

func TestPresence_OneLeadsAndAnotherTakesOverWhenItIsGone(t *testing.T) {
	t.Parallel()
	config, w := migrated(t)
	first, second := serve(t, config, w), serve(t, config, w)
	eventually(t, "somebody leads", func() bool { return first.Leads(postgres.Identity) || second.Leads(postgres.Identity) })
	leader, other := first, second
	if second.Leads(postgres.Identity) {
		leader, other = second, first
	}
	if leader.Leads(postgres.Clinical) {
		t.Error("it leads work on a schema that it has not opened")
	}
	if other.Leads(postgres.Identity) {
		t.Error("two lead")
	}
	leader.Leave()
	eventually(t, "the other takes over", func() bool { return other.Leads(postgres.Identity) })
	if leader.Leads(postgres.Identity) || leader.Live() {
		t.Error("a process that has left leads or serves")
	}
}

// A lease that ran out is one on which nothing is served, until it is taken anew with
// everything that was revoked in between.
func TestPresence_WithoutALeaseNothingIsServed(t *testing.T) {
	t.Parallel()
	config, w := migrated(t)
	p := serve(t, config, w)
	if !p.Live() {
		t.Fatal("a process that has joined does not serve")
	}
	release := holdLeases(t, config)
	eventually(t, "the lease runs out", func() bool { return !p.Live() })
	run(t, config, `WITH n AS (UPDATE shared.revocation_counter SET value = value + 1 RETURNING value)
		INSERT INTO shared.revocations (number, kind, id, expires_at) SELECT value, 'token', 'at_1', 9000000000000000 FROM n`)
	release()
	eventually(t, "the lease is taken anew", p.Live)
	if p.revocations.Len() != 1 {
		t.Errorf("it serves, and knows of %d revocations", p.revocations.Len())
	}
}

// Numbers that this process has seen will be given to others: it doesn't know any more
// what it knows.
func TestPresence_OnADatabaseThatWasSetBackItNeverServesAgain(t *testing.T) {
	t.Parallel()
	config, w := migrated(t)
	p := serve(t, config, w)
	for range 3 {
		if err := revokeToken(t, p, "at_1"); err != nil {
			t.Fatal(err)
		}
	}
	run(t, config, `UPDATE shared.revocation_counter SET value = 1`)
	run(t, config, `DELETE FROM shared.revocations WHERE number > 1`)
	eventually(t, "it stops", func() bool { return !p.Live() })
	run(t, config, `UPDATE shared.revocation_counter SET value = 100`)
	for deadline := time.Now().Add(3 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if p.Live() {
			t.Fatal("it serves again, once the numbers have caught up")
		}
	}
}

// Who revokes waits for each lease that runs, and not for one that ran out.
func TestPresence_WhoRevokesWaitsForTheOthers(t *testing.T) {
	t.Parallel()
	config, w := migrated(t)
	p := serve(t, config, w)
	began := time.Now() // before its lease begins, which runs while this process may be kept waiting
	run(t, config, `INSERT INTO shared.leases (id, applied, expires_at) VALUES ('silent', 0, clock_timestamp() + interval '1 second')`)
	if err := revokeToken(t, p, "at_1"); err != nil {
		t.Fatal(err)
	}
	if waited := time.Since(began); waited < 2*time.Second { // its lease, and the margin
		t.Errorf("it was answered after %s, while another could serve", waited)
	}
	run(t, config, `INSERT INTO shared.leases (id, applied, expires_at) VALUES ('endless', 0, clock_timestamp() + interval '1 hour')`)
	err := revokeToken(t, p, "at_2")
	if !errors.Is(err, loop.ErrOutcomeUnknown) {
		t.Errorf("with somebody who never learns of it: %v", err)
	}
}

func TestServe_TellsOfADatabaseWithoutASynchronousStandby(t *testing.T) {
	t.Parallel()
	config, w := migrated(t)
	var log bytes.Buffer
	config.Log = slog.New(slog.NewTextHandler(&log, nil))
	serve(t, config, w)
	if !strings.Contains(log.String(), "no synchronous standby") {
		t.Errorf("the log says: %s", log.String())
	}
}

// Promise: a server that is stopped leaves nothing that others would wait for, in the
// middle of a renewal too.
func TestPresence_LeavesNoLeaseBehind(t *testing.T) {
	t.Parallel()
	config, w := migrated(t)
	p := serve(t, config, w)
	watcher, err := pgx.Connect(t.Context(), config.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer watcher.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // it is over
	count := func(query string) (rows int) {
		t.Helper()
		if err := watcher.QueryRow(t.Context(), query).Scan(&rows); err != nil {
			t.Fatal(err)
		}
		return rows
	}
	release := holdLeases(t, config)
	eventually(t, "a renewal waits", func() bool {
		return count(`SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'shared.leases'::regclass`) > 0
	})
	left := make(chan struct{})
	go func() {
		defer close(left)
		p.Leave()
	}()
	select { // so that the leaving comes before the renewal can go on
	case <-left:
	case <-time.After(50 * time.Millisecond):
	}
	release()
	<-left
	if leases := count(`SELECT count(*) FROM shared.leases`); leases != 0 {
		t.Errorf("%d leases are left", leases)
	}
}
