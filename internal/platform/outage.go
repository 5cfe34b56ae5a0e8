package platform

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// How often it is looked whether a lost database is there again, and how often it is said
// that it is not.
const (
	outageLook  = time.Second
	outageAgain = time.Minute
)

// outage is a database that was lost. All background work fails with it, over and over:
// that becomes one line, one a minute while it lasts, and one when it is over. Requests
// have their own lines.
type outage struct {
	ready func(context.Context) error // whether every database can be used

	mu     sync.Mutex
	ctx    context.Context //nolint:containedctx // of the background work, in which it is looked whether the outage is over; nil: none runs
	group  *sync.WaitGroup
	lost   bool
	folded int // lines that were not written
}

// quieter is a log that folds what an outage makes others say.
type quieter struct {
	slog.Handler
	outage *outage
}

// Handle writes a record, unless it says once more that the database can't be used.
func (q quieter) Handle(ctx context.Context, record slog.Record) error {
	if !ofOutage(record) || q.outage.begin(q.Handler) {
		return q.Handler.Handle(ctx, record)
	}
	return nil
}

// WithAttrs is slog.Handler's.
func (q quieter) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quieter{q.Handler.WithAttrs(attrs), q.outage}
}

// WithGroup is slog.Handler's.
func (q quieter) WithGroup(name string) slog.Handler {
	return quieter{q.Handler.WithGroup(name), q.outage}
}

// ofOutage reports whether a record is about a database that can't be used.
func ofOutage(record slog.Record) (found bool) {
	record.Attrs(func(attr slog.Attr) bool {
		cause, _ := attr.Value.Any().(error)
		known, ok := errors.AsType[*loop.Error](cause)
		found = ok && known.Code == loop.TemporarilyUnavailable
		return !found
	})
	return found
}

// begin reports whether a line is the first of an outage, or one that nobody looks after.
func (o *outage) begin(log slog.Handler) (first bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ctx == nil || o.ctx.Err() != nil {
		return true
	}
	if o.lost {
		o.folded++
		return false
	}
	o.lost, o.folded = true, 0
	o.group.Go(func() { o.watch(o.ctx, slog.New(log)) })
	return true
}

// watch says each minute that the database is still lost, and that it is there again.
func (o *outage) watch(ctx context.Context, log *slog.Logger) {
	look, began, said := time.NewTicker(outageLook), time.Now(), time.Now()
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
		err := o.ready(ctx)
		if err == nil {
			log.InfoContext(ctx, "the database can be used again", "after_seconds", seconds(began), "folded", o.end())
			return
		}
		if time.Since(said) >= outageAgain {
			said = time.Now()
			log.ErrorContext(ctx, "the database still can't be used", "after_seconds", seconds(began), "cause", err)
		}
	}
}

func (o *outage) end() (folded int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lost = false
	return o.folded
}

// seconds is how long something has taken, for the log.
func seconds(since time.Time) float64 { return time.Since(since).Round(time.Millisecond).Seconds() }

// watchOver has an outage be looked after as part of the background work.
func (o *outage) watchOver(ctx context.Context, group *sync.WaitGroup) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ctx, o.group = ctx, group
}

// usable says whether every database can be read and written, and the lease is held.
func (p *Platform) usable(ctx context.Context) error {
	if !p.engine.live() {
		return errors.New("the lease is lost")
	}
	for _, database := range p.databases {
		if err := database.Ready(ctx); err != nil {
			return err
		}
	}
	return nil
}
