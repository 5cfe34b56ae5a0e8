package webhook

import (
	"context"
	"errors"
	"sync"

	"github.com/loop-health/loop/internal/loop"
)

// errCut ends an attempt because something that it depends on was revoked.
var errCut = errors.New("something that the attempt depends on was revoked")

// underWay is the attempts of this process that are being made.
type underWay struct {
	mu       sync.Mutex
	attempts map[*underWayAttempt]struct{}
}

type underWayAttempt struct {
	depends [3]loop.Revocation // by kind and id
	cut     context.CancelCauseFunc
}

// begin gives an attempt a context that ends when what the event depends on is revoked.
// What the attempt reads after that is newer than every revocation that did not cut it.
func (u *underWay) begin(ctx context.Context, event Event) (_ context.Context, end func()) {
	ctx, cut := context.WithCancelCause(ctx)
	attempt := &underWayAttempt{cut: cut, depends: [...]loop.Revocation{
		{Kind: loop.RevokeGrant, ID: string(event.Grant)}, {Kind: loop.RevokeClient, ID: string(event.Client)}, {Kind: loop.RevokeMember, ID: string(event.Member)},
	}}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.attempts == nil {
		u.attempts = make(map[*underWayAttempt]struct{})
	}
	u.attempts[attempt] = struct{}{}
	return ctx, func() {
		cut(nil)
		u.mu.Lock()
		defer u.mu.Unlock()
		delete(u.attempts, attempt)
	}
}

// revoked cuts off the attempts that depend on what was revoked.
func (u *underWay) revoked(revocation loop.Revocation) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for attempt := range u.attempts {
		for _, on := range attempt.depends {
			if on.Kind == revocation.Kind && on.ID == revocation.ID {
				attempt.cut(errCut)
			}
		}
	}
}
