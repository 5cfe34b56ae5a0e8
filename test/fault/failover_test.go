package fault

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loop-health/loop/internal/store/postgres/postgrestest"
)

// pair is a primary and a standby without which it commits nothing.
type pair struct{ primary, standby *postgrestest.Server }

func newPair(t *testing.T) pair {
	t.Helper()
	primary, err := postgrestest.New()
	postgrestest.Need(t, err)
	t.Cleanup(func() { _ = primary.Remove() })
	must(t, primary.Start())
	standby, err := primary.Clone("standby")
	must(t, err)
	t.Cleanup(func() { _ = standby.Remove() })
	must(t, standby.Start())
	conn, err := pgx.Connect(t.Context(), primary.URL("postgres"))
	must(t, err)
	defer conn.Close(t.Context()) //nolint:errcheck // it is over
	for _, statement := range []string{`ALTER SYSTEM SET synchronous_standby_names = 'standby'`, `SELECT pg_reload_conf()`} {
		_, err = conn.Exec(t.Context(), statement)
		must(t, err)
	}
	await(t, "the standby is not synchronous", func() (says string, done bool) {
		err := conn.QueryRow(t.Context(), `SELECT coalesce(max(sync_state), 'away') FROM pg_stat_replication`).Scan(&says)
		return fmt.Sprint(says, err), says == "sync"
	})
	return pair{primary, standby}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// address names both servers: whichever takes writes is used.
func (p pair) address(t *testing.T, database string) string {
	t.Helper()
	_, err := p.primary.CreateDatabase(t.Context(), database)
	must(t, err)
	both, err := url.Parse(p.primary.URL(database))
	must(t, err)
	other, err := url.Parse(p.standby.URL(database))
	must(t, err)
	both.Host += "," + other.Host
	return both.String()
}

// obedient is a client that repeats what an answer asks it to repeat, and nothing else.
type obedient struct{ *client }

// pause is how long an app waits before it repeats, here.
const pause = 20 * time.Millisecond

// work acts until ctx ends.
func (o obedient) work(ctx context.Context) {
	for ctx.Err() == nil && o.fault == nil {
		o.fault = o.act(ctx)
	}
}

func (o obedient) act(ctx context.Context) error {
	switch dice := o.random.IntN(100); {
	case o.held.Refresh == "" || dice < 8:
		return o.connects(ctx)
	case dice < 14:
		return o.revokes(ctx)
	default:
		return o.refreshes(ctx)
	}
}

// connects takes the member through it until that works. A code is sent again only
// where the answer says so.
func (o obedient) connects(ctx context.Context) error {
	o.held = tokens{}
	for ctx.Err() == nil {
		verifier := "a-code-verifier-that-is-long-enough-for-pkce"
		answered, err := o.authorize(verifier)
		if err != nil || answered.Get("code") == "" {
			<-time.After(pause)
			continue
		}
		code := answered.Get("code")
		got, err := o.repeats(ctx, func() (tokens, error) { return o.redeem(code, verifier) })
		switch {
		case err != nil || got.status == http.StatusServiceUnavailable: // it may have been redeemed: begin anew
		case got.status == http.StatusOK:
			o.held = got
			return o.journal.write(entry{Person: o.name, Act: "connect", Request: got.request, From: code, To: got.Refresh})
		default:
			return fmt.Errorf("%s: a code is answered %d %s", o.name, got.status, got.Error)
		}
	}
	return nil
}

func (o obedient) refreshes(ctx context.Context) error {
	from := o.held.Refresh
	got, err := o.repeats(ctx, func() (tokens, error) { return o.refresh(from) })
	switch {
	case err != nil || got.status == http.StatusServiceUnavailable: // it may have been rotated
		if !o.grace {
			o.held = tokens{}
		}
		return nil
	case got.status == http.StatusOK:
		o.held = got
		return o.journal.write(entry{Person: o.name, Act: "refresh", Request: got.request, From: from, To: got.Refresh})
	}
	return fmt.Errorf("%s: a refresh is answered %d %s: the failover has ended a grant", o.name, got.status, got.Error)
}

func (o obedient) revokes(ctx context.Context) error {
	going := o.held
	o.held = tokens{}
	for ctx.Err() == nil { // a revocation may be repeated whatever came of it
		status, request, err := o.revoke(going.Refresh)
		if err == nil && status == http.StatusOK {
			o.revoked = append(o.revoked, going)
			return o.journal.write(entry{Person: o.name, Act: "revoke", Request: request, From: going.Refresh})
		}
		if err == nil && status != http.StatusServiceUnavailable {
			return fmt.Errorf("%s: a revocation is answered %d", o.name, status)
		}
		<-time.After(pause)
	}
	return nil
}

// repeats sends something again for as long as the answer says that it may.
func (o obedient) repeats(ctx context.Context, send func() (tokens, error)) (tokens, error) {
	for {
		got, err := send()
		if err != nil || got.status != http.StatusServiceUnavailable || !got.again || ctx.Err() != nil {
			return got, err
		}
		<-time.After(pause)
	}
}

func TestFailover_NothingAnsweredIsLostAndNothingUnansweredDoesHarm(t *testing.T) {
	for range sized(1, 5) {
		failOver(t)
	}
}

func failOver(t *testing.T) {
	t.Helper()
	databases := newPair(t)
	address := databases.address(t, "failover")
	migrate(t, address)
	first := newServer(t, boundTo{}, t.TempDir())
	first.env = append(first.env, "LOOP_DATABASE="+address)
	first.start()
	first.app = first.newApp()
	second := first.replica()
	second.start()

	clients, j := begin(t, first, 8)
	for i, c := range clients {
		if i%4 < 2 { // apps of both kinds at both servers
			c.server = second
			c.http.Transport = second.transport()
		}
		c.random = rand.New(rand.NewPCG(11, uint64(i)))
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var load sync.WaitGroup
	for _, c := range clients {
		load.Go(func() { obedient{c}.work(ctx) })
	}
	await(t, "nothing is answered", func() (string, bool) { return "", j.answered.Load() >= 200 })

	must(t, databases.primary.Stop(syscall.SIGQUIT))
	gone, before := time.Now(), j.answered.Load()
	must(t, databases.standby.Run("pg_ctl", "promote", "-D", databases.standby.Folder))
	promoted := time.Since(gone)
	await(t, "the service does not return", func() (string, bool) { return "", j.answered.Load() > before })
	back := time.Since(gone)
	for _, s := range []*server{first, second} {
		s.awaitReady(t, http.StatusOK)
	}
	await(t, "it does not go on", func() (string, bool) { return "", j.answered.Load() >= before+200 })
	stop()
	load.Wait()
	t.Logf("%d writes were answered. The primary ended, the standby was promoted after %s, and the first write was answered after %s",
		j.answered.Load(), promoted.Round(time.Millisecond), back.Round(time.Millisecond))
	all(t, clients, (*client).returns)
	for _, fork := range j.forks {
		t.Error(fork)
	}
	first.everyRequestIsRecorded(t, j)
	for _, s := range []*server{first, second} {
		s.verifyAudit()
		s.stop()
	}
}
