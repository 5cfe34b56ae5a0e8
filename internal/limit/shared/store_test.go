//go:build unix

package shared_test

import (
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/loop-health/loop/internal/limit"
	"github.com/loop-health/loop/internal/limit/shared"
	"github.com/loop-health/loop/internal/limit/shared/sharedtest"
	"github.com/loop-health/loop/internal/loop"
)

// heldWorld has a clock that the test moves.
type heldWorld struct {
	loop.Machine
	now time.Time
}

func (w *heldWorld) Now() time.Time { return w.now }

// Elapsed follows the clock.
func (w *heldWorld) Elapsed() time.Duration { return w.now.Sub(time.Unix(0, 0)) }

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// process is one of many that count together.
func process(t *testing.T, server *sharedtest.Server, w loop.World, log *strings.Builder) *limit.Limits {
	t.Helper()
	store, err := shared.Open(server.Address, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	l := limit.New(w)
	l.ShareBy(store)
	return l
}

func clientKey(id string) limit.Key {
	return limit.ByClient(loop.ClientID(id), loop.Confidential, "192.0.2.1")
}

// The script judges every history as the memory of a process does: the windows, the
// waits, the blocks and their forgiveness.
func TestStore_JudgesAsOneProcessDoes(t *testing.T) {
	t.Parallel()
	server := sharedtest.Start(t)
	number := 0
	rapid.Check(t, func(r *rapid.T) {
		number++
		w := &heldWorld{now: noon}
		var log strings.Builder
		together, alone := process(t, server, w, &log), limit.New(w)
		id := "client_" + strings.Repeat("x", number)
		keys := []limit.Key{clientKey(id), limit.ByClient(loop.ClientID(id), loop.Public, "2001:db8::1"), limit.ByMember(loop.MemberID(id))}
		for range rapid.IntRange(1, 12).Draw(r, "bursts") {
			w.now = w.now.Add(time.Duration(rapid.SampledFrom([]int64{0, 1, 4999, 5000, 20_000, 59_999, 60_000, 61_000, 15 * 60_000, 24 * 3600_000, 50 * 3600_000}).Draw(r, "pause")) * time.Millisecond)
			key, perMinute := rapid.SampledFrom(keys).Draw(r, "key"), rapid.SampledFrom([]int{1, 3, 40}).Draw(r, "limit")
			for range rapid.IntRange(1, 90).Draw(r, "requests") {
				want := alone.Allow(limit.Token, key, perMinute)
				if diff := cmp.Diff(want, together.Allow(limit.Token, key, perMinute)); diff != "" {
					r.Fatalf("they judge differently (-alone +together):\n%s", diff)
				}
			}
		}
		if together.Alone() != 0 {
			r.Fatalf("%d requests were counted here: %s", together.Alone(), log.String())
		}
	})
}

func TestStore_ManyProcessesTogetherGetExactlyTheLimit(t *testing.T) {
	t.Parallel()
	server := sharedtest.Start(t)
	w := &heldWorld{now: noon}
	var allowed atomic.Int64
	var all sync.WaitGroup
	var logs [4]strings.Builder
	for i := range logs {
		l := process(t, server, w, &logs[i])
		all.Go(func() {
			for range 100 {
				if l.Allow(limit.Token, clientKey("client_a"), 60).Allowed {
					allowed.Add(1)
				}
			}
		})
	}
	all.Wait()
	if allowed.Load() != 60 {
		t.Errorf("%d were allowed of a limit of 60", allowed.Load())
	}
}

// Losing the server means limits for each process by itself: never none, and never an
// outage.
func TestStore_WithoutTheServerEachProcessCountsForItself(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*sharedtest.Server) (back func()){
		"it has ended": func(s *sharedtest.Server) func() { s.Stop(); return s.Start },
		"it hangs":     func(s *sharedtest.Server) func() { s.Pause(); return s.Resume },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := sharedtest.Start(t)
			w := &heldWorld{now: noon}
			var log strings.Builder
			l := process(t, server, w, &log)
			if !l.Allow(limit.Token, clientKey("client_a"), 60).Allowed || l.Alone() != 0 {
				t.Fatalf("with the server: counted here: %d; %s", l.Alone(), log.String())
			}
			back := lose(server)
			allowed := 0
			for range 200 {
				if l.Allow(limit.Token, clientKey("client_a"), 60).Allowed {
					allowed++
				}
			}
			if allowed != 60 || l.Alone() != 200 {
				t.Errorf("without it %d of 200 were allowed, and %d were counted here", allowed, l.Alone())
			}
			if said := strings.Count(log.String(), "counts for itself"); said != 1 {
				t.Errorf("the log says it %d times", said)
			}
			back()
			for giveUp := time.Now().Add(20 * time.Second); !strings.Contains(log.String(), "together again"); {
				l.Allow(limit.Token, clientKey("client_b"), 1_000_000)
				if time.Now().After(giveUp) {
					t.Fatal("it does not go back to the server")
				}
			}
			address, err := url.Parse(server.Address)
			if err != nil {
				t.Fatal(err)
			}
			if password, ok := address.User.Password(); !ok || strings.Contains(log.String(), password) {
				t.Error("the log holds the password")
			}
		})
	}
}

func TestOpen_AnAddressThatCannotBeReadIsNotRepeated(t *testing.T) {
	t.Parallel()
	_, err := shared.Open("redis://user:hush@host:none/x", slog.New(slog.DiscardHandler))
	if err == nil || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "redis://") {
		t.Errorf("got %v", err)
	}
}
