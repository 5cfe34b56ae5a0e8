package platform

import (
	"context"
	"errors"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// sweepInterval is how often what has expired is deleted and counted refusals
// become records; keysInterval is how often the keys are looked at.
const (
	sweepInterval = 5 * time.Minute
	keysInterval  = time.Minute
	countInterval = time.Minute // of what apps read
)

func (p *Platform) startBackground(context.Context) error {
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	p.outage.watchOver(ctx, &p.background)
	p.keysReadAt.Store(time.Now().UnixNano()) // openKeys has
	p.background.Go(func() { p.checkpoints.Run(ctx) })
	p.background.Go(func() { p.repeat(ctx, sweepInterval, "forgetting what has expired", p.forget) })
	p.background.Go(func() { p.repeat(ctx, clockInterval, "looking at the clock", p.watchClock) })
	p.background.Go(func() { p.repeat(ctx, keysInterval, "looking after the keys", p.lookAfterKeys) })
	for _, db := range p.databases {
		p.background.Go(func() {
			p.repeat(ctx, sweepInterval, "sweeping "+db.name, p.leading(db.name, func(ctx context.Context) error { return p.sweepRoom(ctx, db) }))
		})
	}
	if p.results != nil {
		p.background.Go(func() { p.renewForm(ctx, clinicalRoom, p.results.MoveResults) })
		p.background.Go(func() {
			p.repeatAtOnce(ctx, countInterval, "counting what apps read", p.leading(clinicalRoom, p.results.CountReads))
		})
	}
	if p.store != nil {
		p.background.Go(func() {
			p.repeat(ctx, sweepInterval, "deleting clients that registered themselves and that nobody uses", p.leading(identityRoom, p.Clients.SweepUnused))
		})
		p.background.Go(func() { p.renewForm(ctx, identityRoom, p.store.SealMembers) })
	}
	p.background.Go(func() { p.requests.Run(ctx) })
	p.background.Go(func() { p.repeatAtOnce(ctx, keysInterval, "erasing members who left", p.eraseWhereLeading) })
	for _, worker := range p.workers { // in every process: what one has claimed, no other sends
		p.background.Go(func() { worker.Run(ctx) })
	}
	return nil
}

// renewForm has what older versions kept in a room brought into its present form: at
// once, and where that cannot be yet, again and again.
func (p *Platform) renewForm(ctx context.Context, room string, renew func(context.Context) error) {
	p.repeatAtOnce(ctx, keysInterval, "bringing what "+room+" keeps into its present form", p.leading(room, renew))
}

// repeatAtOnce is repeat, and does it a first time at once.
func (p *Platform) repeatAtOnce(ctx context.Context, every time.Duration, what string, do func(context.Context) error) {
	if err := do(ctx); err != nil && ctx.Err() == nil {
		p.config.Log.Error(what, "cause", err)
	}
	p.repeat(ctx, every, what, do)
}

// leading does something only in the process that leads work on a room.
func (p *Platform) leading(room string, do func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		if !p.engine.leads(room) {
			return nil
		}
		return do(ctx)
	}
}

// forget has memory forget the revocations that have expired.
func (p *Platform) forget(context.Context) error {
	if p.mayForget() {
		p.revocations.Sweep(p.world.Passed())
	}
	return nil
}

// mayForget reports whether the process has run long enough to forget anything. Its
// clock may have been ahead at the start: what it has held for longer than access
// tokens live has ended by any clock.
func (p *Platform) mayForget() bool {
	return p.world.Elapsed()-p.startedAt > loop.MaxAccessTokenTTL+loop.ClockTolerance
}

// repeat does something over and over until ctx ends.
func (p *Platform) repeat(ctx context.Context, every time.Duration, what string, do func(context.Context) error) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := do(ctx); err != nil && ctx.Err() == nil {
				p.config.Log.Error(what, "cause", err)
			}
		}
	}
}

// Deliver makes an attempt at every message that is due. The platform does it by
// itself, all the time.
func (p *Platform) Deliver(ctx context.Context) error {
	var faults []error
	for _, worker := range p.workers {
		faults = append(faults, worker.Once(ctx))
	}
	return errors.Join(faults...)
}

// Sweep deletes what has expired and turns the refusals of past hours into
// records. The platform does it by itself, every five minutes.
func (p *Platform) Sweep(ctx context.Context) error {
	faults := []error{p.forget(ctx)}
	for _, db := range p.databases {
		faults = append(faults, p.sweepRoom(ctx, db))
	}
	return errors.Join(faults...)
}

func (p *Platform) sweepRoom(ctx context.Context, db named) (err error) {
	switch {
	case !p.mayForget():
	case db.name == identityRoom:
		err = errors.Join(p.OAuth.EndOver(ctx, p.world.Passed()), p.store.Sweep(ctx, p.world.Passed()))
	case db.name == clinicalRoom:
		err = p.results.Sweep(ctx, p.world.Passed())
	}
	return errors.Join(err, db.RecordTallies(ctx, p.world.Now()))
}
