package requestlog

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// Log reads what recorders stored.
type Log struct {
	Store Store
	// Recorder is the process's own: what waits in it is stored before anything is read.
	Recorder *Recorder
}

// List gives an app's newest entries, newest first.
func (l Log) List(ctx context.Context, client loop.ClientID) ([]Entry, error) {
	if l.Recorder != nil {
		if err := l.Recorder.Flush(ctx); err != nil {
			return nil, err
		}
	}
	batches, err := l.Store.RequestBatches(ctx, client)
	if err != nil {
		return nil, err
	}
	var own, claimed []Entry
	for _, b := range batches {
		if b.Claimed {
			claimed = append(claimed, b.Entries...)
		} else {
			own = append(own, b.Entries...)
		}
	}
	return newest(append(newest(own, Kept), newest(claimed, KeptClaimed)...), Kept+KeptClaimed), nil
}

// Hours gives an app's counts of the hours from a moment on, oldest first.
func (l Log) Hours(ctx context.Context, client loop.ClientID, since time.Time) ([]Hour, error) {
	return l.Store.RequestHours(ctx, client, since)
}

// newest sorts entries, newest first, and gives so many at most. Processes write
// their batches by themselves, so what is stored later need not be younger.
func newest(entries []Entry, most int) []Entry {
	slices.SortStableFunc(entries, func(a, b Entry) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.Request, a.Request))
	})
	return entries[:min(len(entries), most)]
}

// Find gives an app's entry of a request; loop.ErrNotFound where there is none, or
// none any more.
func (l Log) Find(ctx context.Context, client loop.ClientID, request loop.RequestID) (Entry, error) {
	entries, err := l.List(ctx, client)
	if err != nil {
		return Entry{}, err
	}
	at := slices.IndexFunc(entries, func(e Entry) bool { return e.Request == request })
	if at < 0 {
		return Entry{}, loop.ErrNotFound
	}
	return entries[at], nil
}

// Filter chooses entries; what is empty chooses all.
type Filter struct {
	Class Class
	Error loop.Code
	Route string
}

// Apply gives the entries that the filter chooses.
func (f Filter) Apply(entries []Entry) []Entry {
	return slices.DeleteFunc(slices.Clone(entries), func(e Entry) bool {
		return f.Class != "" && e.Class() != f.Class || f.Error != "" && e.Error != f.Error || f.Route != "" && e.Route != f.Route
	})
}

// Group is the entries with one error at one route.
type Group struct {
	Route  string
	Error  loop.Code
	Fault  string // of the newest
	Count  int
	Newest Entry
}

// Groups gathers the entries that carry an error, the most frequent first.
func Groups(entries []Entry) []Group {
	type key struct {
		route string
		code  loop.Code
		field string
	}
	at := map[key]int{}
	var groups []Group
	for _, e := range entries {
		if e.Error == "" {
			continue
		}
		k := key{e.Route, e.Error, e.Field}
		i, known := at[k]
		if !known {
			i = len(groups)
			at[k] = i
			groups = append(groups, Group{Route: e.Route, Error: e.Error, Fault: e.Fault, Newest: e})
		}
		groups[i].Count++
	}
	slices.SortStableFunc(groups, func(a, b Group) int { return cmp.Compare(b.Count, a.Count) })
	return groups
}

// Percentile95 is the duration that 95 of 100 entries don't exceed; 0 without entries.
func Percentile95(entries []Entry) time.Duration {
	if len(entries) == 0 {
		return 0
	}
	took := make([]time.Duration, len(entries))
	for i, e := range entries {
		took[i] = e.Took
	}
	slices.Sort(took)
	return took[(len(took)*95+99)/100-1]
}
