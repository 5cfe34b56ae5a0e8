package storetest

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/signin"
)

// sessionsAtMost has a member sign in a hundred times at once, some of the sessions
// being older than the others.
func sessionsAtMost(t *testing.T, f *fixture) {
	now := f.world.Now()
	start := func(n byte, at time.Time) {
		session := signin.Session{Hash: [32]byte{n}, ID: loop.NewSessionID(f.world), Member: f.member.ID, Authentication: loop.Authentication{At: at, Methods: loop.ByPassword}, SeenAt: at, ExpiresAt: at.Add(time.Hour)}
		must(t, f.store.StartSession(t.Context(), signin.Start{Session: session}, silent, f.record()))
	}
	live := func() (live []byte) {
		for n := range byte(120) {
			_, err := f.store.Session(t.Context(), [32]byte{n})
			if err == nil {
				live = append(live, n)
			} else if !errors.Is(err, loop.ErrNotFound) {
				t.Fatal(err)
			}
		}
		return live
	}
	for n := range byte(10) {
		start(n, now.Add(-time.Minute+time.Duration(n)*time.Second))
	}
	var all sync.WaitGroup
	for n := range byte(100) {
		all.Go(func() { start(10+n, now) })
	}
	all.Wait()
	left := live()
	if len(left) != signin.MaxSessions || slices.ContainsFunc(left, func(n byte) bool { return n < 10 }) {
		t.Errorf("%d sessions are left: %v", len(left), left)
	}
	start(119, now)
	if left := live(); len(left) != signin.MaxSessions || !slices.Contains(left, 119) {
		t.Errorf("the newest is not among the %d: %v", len(left), left)
	}
}
