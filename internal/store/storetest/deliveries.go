package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/signin"
)

// What the outbox relies on: messages come with their act, each is one claimant's at
// a time, and nobody waits for another's.

// silent sends nothing at the end of a session.
func silent(loop.EndedSession) []outbox.Message { return nil }

// kind is what these tests send.
const kind outbox.Kind = "test"

// lease is how long a claim of these tests lasts.
const lease = time.Minute

// toEachApp is a message to each app of a session that ends.
func toEachApp(at time.Time) outbox.OnSessionEnd {
	return func(ended loop.EndedSession) (messages []outbox.Message) {
		for _, app := range ended.Apps {
			messages = append(messages, outbox.Message{
				ID: string(app) + "/" + string(ended.ID), Kind: kind, Destination: string(app), Payload: []byte(ended.Member), DueAt: at,
			})
		}
		return messages
	}
}

// listens has the fixture's client take logout tokens.
func (f *fixture) listens(t *testing.T) {
	t.Helper()
	must(t, f.store.ChangeClient(t.Context(), f.client.ID, registration.Terms{}, func(c *loop.Client) ([]loop.Revocation, []audit.Record, error) {
		c.Protocol.BackchannelLogoutURI = "https://app.example.com/logout"
		return nil, nil, nil
	}))
}

// begin starts a session with so many authorizations of the client.
func (f *fixture) begin(t *testing.T, hash byte, authorizations int) signin.Session {
	t.Helper()
	now := f.world.Now()
	session := signin.Session{Hash: [32]byte{hash}, ID: loop.NewSessionID(f.world), Member: f.member.ID, Authentication: loop.Authentication{At: now, Methods: loop.ByPassword}, SeenAt: now, ExpiresAt: now.Add(time.Hour)}
	must(t, f.store.StartSession(t.Context(), signin.Start{Session: session}, silent, f.record()))
	for range authorizations {
		chain := f.chain(loop.NewChainID(f.world), now)
		chain.Session = session.ID
		must(t, f.store.Decide(t.Context(), f.subject(chain.ID), func(oauth.State) (oauth.Change, error) {
			return oauth.Change{Chain: chain, Keep: 10}, nil
		}))
	}
	return session
}

// put writes messages, as an act does: with the end of a session that no app knows.
func (f *fixture) put(t *testing.T, messages ...outbox.Message) {
	t.Helper()
	session := f.begin(t, 77, 0)
	must(t, f.store.EndSession(t.Context(), session.Hash, func(loop.EndedSession) []outbox.Message { return messages }, f.record()))
}

// message is a message that is due now.
func (f *fixture) message(id, destination, order string) outbox.Message {
	return outbox.Message{ID: id, Kind: kind, Destination: destination, OrderKey: order, Payload: []byte(id), DueAt: f.world.Now()}
}

// claim claims what is due a while from now, for as long as a claim lasts.
func (f *fixture) claim(t *testing.T, after time.Duration, atMost, perDestination int) []outbox.Delivery {
	t.Helper()
	now := f.world.Now().Add(after)
	claimed, err := f.store.ClaimDeliveries(t.Context(), outbox.Claim{Kind: kind, Now: now, Until: now.Add(lease), AtMost: atMost, PerDestination: perDestination})
	must(t, err)
	return claimed
}

func (f *fixture) settle(t *testing.T, d outbox.Delivery) {
	t.Helper()
	d.SettledAt, d.Outcome = f.world.Now(), outbox.Delivered
	must(t, f.store.SettleDelivery(t.Context(), d, []audit.Record{f.record()}))
}

// ids are the ids of deliveries, in order.
func ids(deliveries []outbox.Delivery) string {
	all := make([]string, len(deliveries))
	for i, d := range deliveries {
		all[i] = d.ID
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// onceForEachApp: OpenID Connect Back-Channel Logout §2.5, the end of a session is one
// message to each app that has tokens of it and takes logout tokens.
func onceForEachApp(t *testing.T, f *fixture) {
	f.listens(t)
	session := f.begin(t, 5, 2)
	at := f.world.Now()
	for range 2 { // what is gone stays gone
		must(t, f.store.EndSession(t.Context(), session.Hash, toEachApp(at), f.record()))
	}
	due := f.claim(t, 0, 10, 10)
	if len(due) != 1 {
		t.Fatalf("due are %+v", due)
	}
	want := outbox.Delivery{
		Message: outbox.Message{
			ID: string(f.client.ID) + "/" + string(session.ID), Kind: kind, Destination: string(f.client.ID), Payload: []byte(f.member.ID), DueAt: at.Truncate(time.Microsecond),
		},
		Number: due[0].Number, ClaimedUntil: due[0].ClaimedUntil,
	}
	if diff := cmp.Diff(want, due[0]); diff != "" {
		t.Errorf("it differs (-written +claimed):\n%s", diff)
	}
	f.settle(t, due[0])
	again := signin.Session{Hash: [32]byte{6}, ID: session.ID, Member: f.member.ID, Authentication: loop.Authentication{At: at, Methods: loop.ByPassword}, SeenAt: at, ExpiresAt: at.Add(time.Hour)}
	must(t, f.store.StartSession(t.Context(), signin.Start{Session: again}, silent, f.record()))
	must(t, f.store.EndSession(t.Context(), again.Hash, toEachApp(at), f.record()))
	if due := f.claim(t, 2*lease, 10, 10); len(due) != 0 {
		t.Errorf("a second end under the same name is another message: %+v", due)
	}
}

func endsWithMessages(t *testing.T, f *fixture) {
	f.listens(t)
	f.begin(t, 5, 1)
	f.begin(t, 6, 1)
	must(t, f.store.ChangeMember(t.Context(), f.member.ID, toEachApp(f.world.Now()), func(m *loop.Member) (member.Change, error) {
		m.Suspended = true
		return member.Change{Records: []audit.Record{f.record()}}, nil
	}))
	if due := f.claim(t, 0, 10, 10); len(due) != 2 {
		t.Errorf("two sessions end with %d messages", len(due))
	}
}

func noMessageOfNothing(t *testing.T, f *fixture) {
	f.listens(t)
	session := f.begin(t, 5, 1)
	err := f.store.ChangeMember(t.Context(), f.member.ID, toEachApp(f.world.Now()), func(*loop.Member) (member.Change, error) {
		return member.Change{}, errRefused
	})
	if !errors.Is(err, errRefused) {
		t.Errorf("got %v", err)
	}
	panics := func(loop.EndedSession) []outbox.Message { panic("in the middle of the act") }
	if err := f.store.EndSession(t.Context(), session.Hash, panics, f.record()); err == nil {
		t.Error("an act that panics is answered as done")
	}
	if due := f.claim(t, 0, 10, 10); len(due) != 0 {
		t.Errorf("due are %+v", due)
	}
	if _, err := f.store.Session(t.Context(), session.Hash); err != nil {
		t.Errorf("the session has ended: %v", err)
	}
}

func claimsOnce(t *testing.T, f *fixture) {
	const messages = 60
	var written []outbox.Message
	for i := range messages {
		written = append(written, f.message(fmt.Sprint("m", i), fmt.Sprint("to ", i%3), ""))
	}
	f.put(t, written...)
	now := f.world.Now()
	var (
		mu     sync.Mutex
		claims = make(map[string]int)
		all    sync.WaitGroup
	)
	for range 8 {
		all.Go(func() {
			for {
				claimed, err := f.store.ClaimDeliveries(t.Context(), outbox.Claim{Kind: kind, Now: now, Until: now.Add(lease), AtMost: 4, PerDestination: messages})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for _, d := range claimed {
					claims[d.ID]++
				}
				enough := len(claims) == messages
				mu.Unlock()
				if enough || t.Failed() {
					return
				}
			}
		})
	}
	all.Wait()
	for id, count := range claims {
		if count != 1 {
			t.Errorf("%s was claimed %d times", id, count)
		}
	}
}

// losesClaim: who comes back after its claim has ended, and finds that another has it,
// writes neither outcome nor record.
func losesClaim(t *testing.T, f *fixture) {
	f.put(t, f.message("m", "app", ""))
	first := f.claim(t, 0, 1, 1)[0]
	second := f.claim(t, 2*lease, 1, 1)
	if len(second) != 1 {
		t.Fatal("a claim that has ended is not given to another")
	}
	late := first
	late.SettledAt, late.Outcome = f.world.Now(), outbox.Delivered
	if err := f.store.SettleDelivery(t.Context(), late, []audit.Record{f.record()}); !errors.Is(err, outbox.ErrClaimLost) {
		t.Errorf("got %v, want ErrClaimLost", err)
	}
	f.settle(t, second[0])
	if err := f.store.SettleDelivery(t.Context(), second[0], nil); !errors.Is(err, outbox.ErrClaimLost) {
		t.Errorf("settled twice: got %v, want ErrClaimLost", err)
	}
	if due := f.claim(t, 10*lease, 10, 10); len(due) != 0 {
		t.Errorf("what is settled is claimed: %+v", due)
	}
}

// claimsAgain: a process that dies with a claim holds a message up until its claim has
// ended, and no longer.
func claimsAgain(t *testing.T, f *fixture) {
	f.put(t, f.message("m", "app", ""))
	first := f.claim(t, 0, 1, 1)
	if during := f.claim(t, lease/2, 1, 1); len(first) != 1 || len(during) != 0 {
		t.Errorf("claimed %+v, and while that claim ran %+v", first, during)
	}
	if after := f.claim(t, 2*lease, 1, 1); ids(after) != "m" || after[0].Attempts != 0 {
		t.Errorf("after it: %+v", after)
	}
}

func ordersByKey(t *testing.T, f *fixture) {
	f.put(t, f.message("a1", "app", "a"), f.message("a2", "app", "a"), f.message("b1", "app", "b"), f.message("c", "app", ""))
	first := f.claim(t, 0, 10, 10)
	if ids(first) != "a1 b1 c" {
		t.Fatalf("first are claimed %s", ids(first))
	}
	if behind := f.claim(t, 0, 10, 10); len(behind) != 0 {
		t.Errorf("while the first is under way, %s is claimed", ids(behind))
	}
	var a1 outbox.Delivery
	for _, d := range first {
		if d.ID == "a1" {
			a1 = d
		}
	}
	a1.Attempts, a1.DueAt = 1, f.world.Now().Add(time.Hour) // it failed
	must(t, f.store.SettleDelivery(t.Context(), a1, nil))
	if behind := f.claim(t, 0, 10, 10); len(behind) != 0 {
		t.Errorf("while the first waits to be sent again, %s is claimed", ids(behind))
	}
	again := f.claim(t, 2*time.Hour, 10, 10)
	if ids(again) != "a1 b1 c" { // the other two claims have ended, too
		t.Fatalf("then %s is claimed", ids(again))
	}
	for _, d := range again {
		f.settle(t, d)
	}
	if next := f.claim(t, 2*time.Hour, 10, 10); ids(next) != "a2" {
		t.Errorf("after it %s is claimed", ids(next))
	}
}

func boundsDestination(t *testing.T, f *fixture) {
	f.put(t, f.message("1", "slow", ""), f.message("2", "slow", ""), f.message("3", "slow", ""), f.message("4", "slow", ""))
	first := f.claim(t, 0, 10, 2)
	if len(first) != 2 {
		t.Fatalf("%d are claimed", len(first))
	}
	if more := f.claim(t, 0, 10, 2); len(more) != 0 {
		t.Errorf("beyond its bound it has %s", ids(more))
	}
	f.settle(t, first[0])
	if more := f.claim(t, 0, 10, 2); len(more) != 1 {
		t.Errorf("with room for one it gets %s", ids(more))
	}
}

// holdsUpNobody: a destination with more messages than a claim takes, all due for
// longer, does not keep another's from being claimed.
func holdsUpNobody(t *testing.T, f *fixture) {
	var written []outbox.Message
	for i := range 300 {
		written = append(written, f.message(fmt.Sprint("slow", i), "slow", ""))
	}
	f.put(t, append(written, f.message("quick", "app", ""))...)
	claimed := f.claim(t, 0, 10, 4)
	if len(claimed) != 5 || !strings.HasPrefix(ids(claimed), "quick ") {
		t.Errorf("claimed are %s", ids(claimed))
	}
	if left := f.claim(t, 0, 3, 100); len(left) != 3 {
		t.Errorf("of at most three, %d are claimed", len(left))
	}
}

func waitsToBeDue(t *testing.T, f *fixture) {
	later := f.message("later", "app", "")
	later.DueAt = later.DueAt.Add(time.Hour)
	f.put(t, later)
	if early := f.claim(t, 59*time.Minute, 10, 10); len(early) != 0 {
		t.Errorf("before it is due, %s is claimed", ids(early))
	}
	if due := f.claim(t, 2*time.Hour, 10, 10); ids(due) != "later" {
		t.Errorf("then %s is claimed", ids(due))
	}
}

func claimsItsKind(t *testing.T, f *fixture) {
	other := f.message("other", "app", "")
	other.Kind = "of another version"
	f.put(t, other)
	if claimed := f.claim(t, time.Hour, 10, 10); len(claimed) != 0 {
		t.Errorf("claimed is %s", ids(claimed))
	}
}

func countsWaiting(t *testing.T, f *fixture) {
	f.put(t, f.message("a", "one", ""), f.message("b", "two", ""))
	for _, want := range []int64{2, 1, 0} {
		waiting, err := f.store.Waiting(t.Context())
		must(t, err)
		if got := waiting[kind].Messages; got != want {
			t.Errorf("%d messages wait, want %d", got, want)
		}
		for _, d := range f.claim(t, 0, 1, 1) {
			f.settle(t, d)
		}
	}
}
