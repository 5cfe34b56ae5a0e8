package storetest

import (
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/connection"
	"github.com/loop-health/loop/internal/loop"
)

// reads are the parts of the contract for what members see of reads.
var reads = map[string]func(*testing.T, *results){
	"reads are counted by app and week":         readsCounted,
	"reads are counted once, whoever counts":    readsCountedByTwo,
	"reads are listed newest first, by pages":   readsListed,
	"a member sees the reads of their own data": readsOfOthers,
}

const (
	labs  = loop.ClientID("client_01KAXYZ0000000000000000000")
	meter = loop.ClientID("client_01KAXYZ0000000000000000001")
)

// read records that an app read so many of Anna's results, so long ago.
func (s *results) read(t *testing.T, app loop.ClientID, ago time.Duration, count int) {
	t.Helper()
	must(t, s.store.RecordRead(t.Context(), audit.Record{
		At: s.world.Now().Add(-ago), Event: audit.BiomarkersRead, Actor: audit.Actor{Kind: audit.ByClient, ID: string(app)},
		Member: anna, Client: app, Grant: "grant_01KAXYZ0000000000000000000", Detail: audit.Detail{"count": strconv.Itoa(count)},
	}))
}

func readsCounted(t *testing.T, s *results) {
	const hour = time.Hour
	since := s.world.Now().Truncate(24 * hour).Add(24*hour - connection.Weeks*connection.Week)
	begun := s.world.Now().Sub(since)
	s.read(t, meter, 100*connection.Week, 1)
	for _, ago := range []time.Duration{begun + hour, begun - hour, begun - (connection.Weeks-1)*connection.Week + hour, 2 * hour, hour} {
		s.read(t, labs, ago, 1) // the oldest first, as records are written
	}
	want := [connection.Weeks]int{0: 1, connection.Weeks - 2: 1, connection.Weeks - 1: 2}
	newest := hour // ago
	judge := func(when string) {
		t.Helper()
		usage, err := s.store.Usage(t.Context(), anna, since)
		must(t, err)
		if got := usage[labs]; got.ByWeek != want || s.world.Now().Sub(got.LastReadAt).Round(time.Minute) != newest || !got.Begin.Equal(since) {
			t.Errorf("%s, the labs' usage is %+v", when, got)
		}
		if got, counted := usage[meter]; counted {
			t.Errorf("%s, what the meter read before these weeks is counted: %+v", when, got)
		}
	}
	judge("before anything is counted by day")
	count := func() {
		t.Helper()
		for range 2 { // what is counted stays so
			must(t, s.store.CountReads(t.Context()))
		}
	}
	count()
	judge("counted by day")
	newest = time.Minute
	s.read(t, labs, newest, 1)
	want[connection.Weeks-1]++
	judge("with a read since")
	count()
	judge("and that counted, too")
	must(t, s.store.Sweep(t.Context(), s.world.Now()))
	judge("after a sweep")
	must(t, s.store.EraseMember(t.Context(), anna, s.world.Now()))
	usage, err := s.store.Usage(t.Context(), anna, since)
	must(t, err)
	if len(usage) != 0 {
		t.Errorf("of a member who was erased, %v is left", usage)
	}
}

func readsCountedByTwo(t *testing.T, s *results) {
	const readers = 4
	for range 30 {
		s.read(t, labs, time.Hour, 1)
	}
	var all sync.WaitGroup
	errs := make([]error, readers)
	for i := range readers {
		all.Go(func() { errs[i] = s.store.CountReads(t.Context()) })
	}
	all.Wait()
	must(t, errors.Join(errs...))
	usage, err := s.store.Usage(t.Context(), anna, s.world.Now().Truncate(24*time.Hour).Add(-connection.Week))
	must(t, err)
	total := 0
	for _, count := range usage[labs].ByWeek {
		total += count
	}
	if total != 30 {
		t.Errorf("30 reads, counted at once by %d, are %d", readers, total)
	}
}

func readsListed(t *testing.T, s *results) {
	for n := 6; n >= 0; n-- {
		s.read(t, []loop.ClientID{labs, meter}[n%2], time.Duration(n)*time.Minute, n)
	}
	for app, want := range map[loop.ClientID][]int{"": {0, 1, 2, 3, 4, 5, 6}, labs: {0, 2, 4, 6}, meter: {1, 3, 5}} {
		var got []int
		var place connection.ReadPlace
		for {
			page, err := s.store.ListReads(t.Context(), anna, app, place, 2)
			must(t, err)
			for _, read := range page {
				got = append(got, read.Count)
				if app != "" && read.Client != app {
					t.Errorf("a read of %s is listed for %s", read.Client, app)
				}
			}
			if len(page) < 2 {
				break
			}
			parsed, err := connection.ParseReadPlace(page[1].Place.String())
			must(t, err)
			place = parsed
		}
		if !slices.Equal(got, want) {
			t.Errorf("the reads of %q are %v, want %v", app, got, want)
		}
	}
}

func readsOfOthers(t *testing.T, s *results) {
	s.read(t, labs, time.Hour, 1)
	list, err := s.store.ListReads(t.Context(), ben, "", connection.ReadPlace{}, 10)
	must(t, err)
	usage, err := s.store.Usage(t.Context(), ben, time.Time{})
	must(t, err)
	if len(list) != 0 || len(usage) != 0 {
		t.Errorf("another member sees %v, %v", list, usage)
	}
}
