package platform

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/store"
	"github.com/loop-health/loop/internal/telemetry"
)

// Figures is how the platform does, for telemetry.Metrics. What can't be read at
// the moment is left out.
func (p *Platform) Figures(ctx context.Context) telemetry.Figures {
	f := telemetry.Figures{
		Databases:   make(map[string]store.Figures, len(p.databases)),
		Revocations: p.revocations.Len(), RevocationCounter: p.revocations.Epoch().Counter,
		ClockAhead: p.world.Ahead(),
		Refused:    p.limits.Refused(), CountedAlone: p.limits.Alone(),
	}
	for _, database := range p.databases {
		f.Databases[database.name] = database.Figures()
	}
	var err, behind error
	if p.store != nil {
		f.Hashing, f.HashesWait, f.HashesAtOne = p.SignIns.Passwords.Load()
		f.Backlog, err = p.store.Backlog(ctx, p.world.Passed())
		err = errors.Join(err, p.readDeliveries(ctx, &f))
	}
	f.UncheckedRecords, f.CheckedAt, behind = p.checkpoints.Behind(ctx)
	if err = errors.Join(err, behind); err != nil {
		p.config.Log.ErrorContext(ctx, "reading figures", "cause", err)
	}
	return f
}

// readDeliveries reads what waits to be sent, and what became of it here.
func (p *Platform) readDeliveries(ctx context.Context, f *telemetry.Figures) (err error) {
	f.Sent = make(map[outbox.Kind]outbox.Counts, len(p.workers))
	for _, worker := range p.workers {
		f.Sent[worker.Kind()] = worker.Counts()
	}
	f.Waiting, err = p.store.Waiting(ctx)
	return err
}

// keysTooOld is how long the keys may go unread before others could seal with one
// that this process does not know: a new one is announced five minutes before.
const keysTooOld = 4 * time.Minute

// Checks is what the platform cannot serve without, for telemetry.Readiness.
func (p *Platform) Checks() []telemetry.Check {
	checks := append(p.engine.checks(), telemetry.Check{Name: "keys", Run: p.keysAreRead},
		telemetry.Check{Name: "clock", Run: p.clockIsRight},
		telemetry.Check{Name: "audit checkpoints", Run: func(context.Context) error { return p.checkpoints.Ready() }})
	for _, database := range p.databases {
		checks = append(checks, telemetry.Check{Name: database.name + " database", Run: database.Ready})
	}
	return checks
}

func (p *Platform) keysAreRead(context.Context) error {
	if age := time.Since(time.Unix(0, p.keysReadAt.Load())); age > keysTooOld {
		return fmt.Errorf("the keys were read %s ago: the log says why not since", age.Round(time.Second))
	}
	return nil
}
