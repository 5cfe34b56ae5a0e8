package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/requestlog"
)

// requests are the parts of the contract for what apps sent.
var requests = map[string]func(*testing.T, *fixture){
	"what an app sent reads as it was written":                    requestsRead,
	"an app's ring holds so many requests, of each kind":          requestsBounded,
	"processes that store at one moment lose nothing":             requestsAtOnce,
	"requests are counted by the hour, whoever adds to it":        requestsCounted,
	"what an app sent long ago is swept, and nothing that is new": requestsSwept,
}

// entries are requests, a second apart, the newest at a moment.
func (f *fixture) entries(count int, until time.Time) []requestlog.Entry {
	entries := make([]requestlog.Entry, count)
	for i := range entries {
		entries[i] = requestlog.Entry{
			Request: loop.NewRequestID(f.world), At: until.Add(time.Duration(i-count+1) * time.Second).Truncate(time.Microsecond), Host: "identity",
			Route: "POST /v1/oauth/token", Status: 400, Took: 3 * time.Millisecond, Error: loop.InvalidGrant, Fault: "The code was used.", Field: "code",
			Received: []requestlog.Parameter{{Name: "code", Length: 43}, {Name: "grant_type", Value: "authorization_code"}},
		}
	}
	return entries
}

func (f *fixture) append(t *testing.T, claimed bool, entries ...requestlog.Entry) {
	t.Helper()
	must(t, f.store.AppendRequests(t.Context(), []requestlog.Batch{{Client: f.client.ID, Claimed: claimed, Entries: entries}}, nil))
}

// listed is what the log gives of the fixture's app.
func (f *fixture) listed(t *testing.T) []requestlog.Entry {
	t.Helper()
	entries, err := requestlog.Log{Store: f.store}.List(t.Context(), f.client.ID)
	must(t, err)
	return entries
}

func requestsRead(t *testing.T, f *fixture) {
	entries := f.entries(3, f.world.Now())
	f.append(t, false, entries[0], entries[1])
	f.append(t, true, entries[2])
	entries[2].Claimed = true
	want := []requestlog.Entry{entries[2], entries[1], entries[0]}
	if diff := cmp.Diff(want, f.listed(t)); diff != "" {
		t.Errorf("the requests read otherwise than they were written (-want +got):\n%s", diff)
	}
	other, err := requestlog.Log{Store: f.store}.List(t.Context(), loop.NewClientID(f.world))
	must(t, err)
	if len(other) != 0 {
		t.Errorf("another app sees %d of them", len(other))
	}
}

func requestsBounded(t *testing.T, f *fixture) {
	for claimed, most := range map[bool]int{false: requestlog.Kept, true: requestlog.KeptClaimed} {
		entries := f.entries(most+150, f.world.Now())
		for len(entries) > 0 {
			n := min(50, len(entries))
			f.append(t, claimed, entries[:n]...)
			entries = entries[n:]
		}
	}
	kept := map[bool]int{}
	batches, err := f.store.RequestBatches(t.Context(), f.client.ID)
	must(t, err)
	for _, b := range batches {
		kept[b.Claimed] += len(b.Entries)
	}
	if kept[false] != requestlog.Kept || kept[true] != requestlog.KeptClaimed {
		t.Errorf("the rings hold %d requests, and %d that proved nothing", kept[false], kept[true])
	}
}

func requestsAtOnce(t *testing.T, f *fixture) {
	var all sync.WaitGroup
	for range 8 {
		entries := f.entries(5, f.world.Now())
		all.Go(func() {
			if err := f.store.AppendRequests(t.Context(), []requestlog.Batch{{Client: f.client.ID, Entries: entries}}, nil); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := len(f.listed(t)); got != 40 {
		t.Errorf("of 40 requests %d are there", got)
	}
}

func requestsCounted(t *testing.T, f *fixture) {
	hour := f.world.Now().Truncate(time.Hour)
	entries := f.entries(1, f.world.Now())
	for range 2 {
		must(t, f.store.AppendRequests(t.Context(), []requestlog.Batch{{Client: f.client.ID, Entries: entries}}, []requestlog.Hour{
			{Client: f.client.ID, Begin: hour, Answered: 3, Refused: 2, Failed: 1, Refreshed: 1},
			{Client: f.client.ID, Begin: hour.Add(-time.Hour), Answered: 1},
			{Client: loop.NewClientID(f.world), Begin: hour, Answered: 9},
		}))
		entries[0].Request = loop.NewRequestID(f.world)
	}
	got, err := f.store.RequestHours(t.Context(), f.client.ID, hour)
	must(t, err)
	want := []requestlog.Hour{{Client: f.client.ID, Begin: hour, Answered: 6, Refused: 4, Failed: 2, Refreshed: 2}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the counts are wrong (-want +got):\n%s", diff)
	}
}

func requestsSwept(t *testing.T, f *fixture) {
	old := f.world.Now().Add(-requestlog.KeptHours - time.Minute)
	must(t, f.store.AppendRequests(t.Context(), []requestlog.Batch{{Client: f.client.ID, Entries: f.entries(2, old)}}, []requestlog.Hour{{Client: f.client.ID, Begin: old.Truncate(time.Hour), Answered: 2}}))
	entries := f.entries(1, f.world.Now())
	f.append(t, false, entries...)
	must(t, f.store.Sweep(t.Context(), f.world.Now()))
	if got := f.listed(t); fmt.Sprint(got) != fmt.Sprint(entries) {
		t.Errorf("after the sweep there are %d requests", len(got))
	}
	hours, err := f.store.RequestHours(t.Context(), f.client.ID, old.Add(-24*time.Hour))
	must(t, err)
	if len(hours) != 0 {
		t.Errorf("after the sweep there are counts of %d hours", len(hours))
	}
}
