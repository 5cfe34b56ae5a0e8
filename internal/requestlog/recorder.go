package requestlog

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// Sink takes in the entries of all processes.
type Sink interface {
	// AppendRequests adds batches and counts, and drops of each app what is older than
	// its rings hold.
	AppendRequests(ctx context.Context, batches []Batch, hours []Hour) error
}

// Store keeps the entries of all processes.
type Store interface {
	Sink
	// RequestBatches gives an app's batches, newest first.
	RequestBatches(ctx context.Context, client loop.ClientID) ([]Batch, error)
	// RequestHours gives an app's counts since a moment, oldest first.
	RequestHours(ctx context.Context, client loop.ClientID, since time.Time) ([]Hour, error)
}

// Registered reports whether there is a client with the id.
type Registered func(ctx context.Context, id loop.ClientID) bool

// interval is how long an entry waits in memory at most.
const interval = time.Second

// maxClients bounds the apps that have entries in memory: who sends under more names
// than that within a second is no app.
const maxClients = 1000

// Recorder takes in entries without waiting, and stores them in the background.
type Recorder struct {
	Sink       Sink
	Registered Registered // nil: every client id is good
	Log        *slog.Logger

	mu      sync.Mutex
	waiting map[ring]*Batch
	hours   map[hourOf]*Hour
}

type ring struct {
	client  loop.ClientID
	claimed bool
}

type hourOf struct {
	client loop.ClientID
	begin  time.Time
}

// Add takes in an entry of an app's.
func (r *Recorder) Add(client loop.ClientID, e Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting == nil {
		r.waiting, r.hours = map[ring]*Batch{}, map[hourOf]*Hour{}
	}
	key := ring{client, e.Claimed}
	batch := r.waiting[key]
	if batch == nil {
		if len(r.waiting) >= maxClients {
			return
		}
		batch = &Batch{Client: client, Claimed: e.Claimed}
		r.waiting[key] = batch
	}
	batch.Entries = append(batch.Entries, e)
	if most := size(e.Claimed); len(batch.Entries) >= 2*most {
		batch.Entries = append(batch.Entries[:0], batch.Entries[most:]...)
	}
	if !e.Claimed {
		r.count(client, e)
	}
}

// size is how many entries a ring holds.
func size(claimed bool) int {
	if claimed {
		return KeptClaimed
	}
	return Kept
}

func (r *Recorder) count(client loop.ClientID, e Entry) {
	key := hourOf{client, e.At.Truncate(time.Hour)}
	hour := r.hours[key]
	if hour == nil {
		hour = &Hour{Client: client, Begin: key.begin}
		r.hours[key] = hour
	}
	switch e.Class() {
	case Failed:
		hour.Failed++
	case Refused:
		hour.Refused++
	case Answered:
		hour.Answered++
		if e.Refresh {
			hour.Refreshed++
		}
	}
}

// Run stores what came in, each second, until ctx ends, and then the rest.
func (r *Recorder) Run(ctx context.Context) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			r.report(ctx, r.Flush(ctx))
		case <-ctx.Done():
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*interval)
			r.report(ctx, r.Flush(ctx))
			cancel()
			return
		}
	}
}

// report logs a failure. What was to be stored is lost: it must not pile up while a
// database is away.
func (r *Recorder) report(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		r.Log.WarnContext(ctx, "requests of the last second are missing in the request log", "cause", err)
	}
}

// Flush stores what came in.
func (r *Recorder) Flush(ctx context.Context) error {
	r.mu.Lock()
	waiting, counted := r.waiting, r.hours
	r.waiting, r.hours = nil, nil
	r.mu.Unlock()
	var batches []Batch
	for key, batch := range waiting {
		if key.claimed && r.Registered != nil && !r.Registered(ctx, key.client) {
			continue
		}
		batch.Entries = batch.Entries[max(0, len(batch.Entries)-size(key.claimed)):]
		batches = append(batches, *batch)
	}
	var hours []Hour
	for _, hour := range counted {
		hours = append(hours, *hour)
	}
	if len(batches) == 0 {
		return nil
	}
	return r.Sink.AppendRequests(ctx, batches, hours)
}
