//go:build unix

package postgres_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/store"
)

const insertDelivery = `INSERT INTO identity.deliveries (id, kind, destination, order_key, payload, attempts, due_at, claimed_until, settled_at, outcome)
	SELECT 'm' || n, 'test', 'app ' || n %% 5, '', '', 0, n, 0, 0, '' FROM generate_series(1, %d) AS n`

// Two servers that claim at once share the messages: each is one's alone.
func TestDeliveries_OfTwoServersEachClaimsItsOwn(t *testing.T) {
	t.Parallel()
	config, w := migrated(t)
	servers := []process{serve(t, config, w), serve(t, config, w)}
	const messages = 100
	run(t, config, fmt.Sprintf(insertDelivery, messages))
	now := w.Now()
	claims := make([][]outbox.Delivery, len(servers))
	var all sync.WaitGroup
	for i, server := range servers {
		all.Go(func() {
			for range messages { // more often than there are messages for
				claimed, err := server.ClaimDeliveries(t.Context(), outbox.Claim{Kind: "test", Now: now, Until: now.Add(time.Minute), AtMost: 3, PerDestination: messages})
				if err != nil {
					t.Error(err)
					return
				}
				claims[i] = append(claims[i], claimed...)
			}
		})
	}
	all.Wait()
	claimed := make(map[string]int)
	for _, d := range append(claims[0], claims[1]...) {
		claimed[d.ID]++
	}
	if len(claimed) != messages || len(claims[0])+len(claims[1]) != messages {
		t.Errorf("of %d messages, %d were claimed, by %d claims", messages, len(claimed), len(claims[0])+len(claims[1]))
	}
}

// A server that dies with a claim delays its message until the claim has ended; it
// settles nothing when it comes back.
func TestDeliveries_AnotherServerTakesOverWhatOneDiedWith(t *testing.T) {
	t.Parallel()
	config, w := migrated(t)
	dies, lives := serve(t, config, w), serve(t, config, w)
	run(t, config, fmt.Sprintf(insertDelivery, 1))
	claim := func(by process, now time.Time) []outbox.Delivery {
		t.Helper()
		claimed, err := by.ClaimDeliveries(t.Context(), outbox.Claim{Kind: "test", Now: now, Until: now.Add(time.Minute), AtMost: 1, PerDestination: 1})
		if err != nil {
			t.Fatal(err)
		}
		return claimed
	}
	now := w.Now()
	lost := claim(dies, now)
	if early := claim(lives, now.Add(59*time.Second)); len(lost) != 1 || len(early) != 0 {
		t.Fatalf("claimed are %+v, and while that claim runs %+v", lost, early)
	}
	taken := claim(lives, now.Add(time.Minute))
	if len(taken) != 1 || taken[0].ID != lost[0].ID {
		t.Fatalf("taken over are %+v", taken)
	}
	lost[0].SettledAt = now
	if err := dies.SettleDelivery(t.Context(), lost[0], nil); err != outbox.ErrClaimLost { //nolint:errorlint // as it is
		t.Errorf("got %v, want ErrClaimLost", err)
	}
	taken[0].SettledAt, taken[0].Outcome = now, outbox.Delivered
	if err := lives.SettleDelivery(t.Context(), taken[0], []audit.Record{{At: now, Event: audit.LogoutDelivered, Actor: audit.Actor{Kind: audit.BySystem}}}); err != nil {
		t.Error(err)
	}
}

// Servers of the version before go on with a table of their own. What they leave, a
// sweep takes over; what they are about to send, it does not touch.
func TestDeliveries_TakeOverTheLogoutsOfTheVersionBefore(t *testing.T) {
	t.Parallel()
	config, w := migrated(t)
	s := serve(t, config, w)
	now := w.Now()
	insert := func(session string, due, ended time.Time) {
		run(t, config, fmt.Sprintf(`INSERT INTO identity.logouts (client_id, session_id, member_id, attempts, due_at, ended_at) VALUES ('client_1', '%s', 'user_1', 3, %d, %d)`,
			session, store.Micro(due), store.Micro(ended)))
	}
	insert("left", now.Add(-2*time.Minute), now.Add(-time.Hour))
	insert("just due", now, now)
	insert("sent lately", time.Time{}, now.Add(-time.Hour))
	insert("sent long ago", time.Time{}, now.Add(-31*24*time.Hour))
	for range 2 { // done twice, it changes nothing
		if err := s.Sweep(t.Context(), w.Now()); err != nil {
			t.Fatal(err)
		}
	}
	claimed, err := s.ClaimDeliveries(t.Context(), outbox.Claim{Kind: "logout", Now: now, Until: now.Add(time.Minute), AtMost: 10, PerDestination: 10})
	if err != nil {
		t.Fatal(err)
	}
	if len(claimed) != 1 || claimed[0].ID != "logout/client_1/left" || claimed[0].Destination != "client_1" || claimed[0].Attempts != 3 ||
		string(claimed[0].Payload) != `{"member" : "user_1", "session" : "left"}` {
		t.Errorf("taken over are %+v", claimed)
	}
	var left int
	if err := connect(t, config.URL).QueryRow(t.Context(), `SELECT count(*) FROM identity.logouts WHERE session_id IN ('just due', 'sent lately')`).Scan(&left); err != nil || left != 2 {
		t.Errorf("of the other two, %d are left, %v", left, err)
	}
	if err := connect(t, config.URL).QueryRow(t.Context(), `SELECT count(*) FROM identity.logouts`).Scan(&left); err != nil || left != 2 {
		t.Errorf("%d are left, %v", left, err)
	}
}
