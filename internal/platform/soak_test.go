package platform_test

import (
	"database/sql"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// size is how large a platform is, but for its audit record.
type size struct {
	rows       map[string]int64 // by table
	bytes      int64            // of both databases, without the record and free pages
	heap       int64
	goroutines int
	files      int

	records, recordBytes int64
}

// measure lets a platform rest, and takes its size.
func measure(t *testing.T, p *platformtest.Platform) size {
	t.Helper()
	s := size{rows: make(map[string]int64)}
	for _, room := range []string{"identity", "clinical"} {
		db := p.Database(t, room)
		s.addTables(t, db, room)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	runtime.GC() // what has a finalizer goes with the second
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	s.heap, s.goroutines = int64(memory.HeapAlloc), runtime.NumGoroutine()
	if open, err := os.ReadDir("/proc/self/fd"); err == nil { // where the system reports it
		s.files = len(open)
	}
	return s
}

// tableSizes lists the tables of a room with what they and their indexes take.
func tableSizes() string {
	if platformtest.OnPostgres() {
		return `SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace`
	}
	return `SELECT m.tbl_name, sum(d.pgsize) FROM dbstat AS d JOIN sqlite_schema AS m ON m.name = d.name
		WHERE d.pagetype = 'leaf' OR d.pagetype = 'internal' OR d.pagetype = 'overflow' GROUP BY m.tbl_name`
}

func (s *size) addTables(t *testing.T, db *sql.DB, room string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), tableSizes())
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // Err says what went wrong
	for rows.Next() {
		var (
			table string
			bytes int64
		)
		if err := rows.Scan(&table, &bytes); err != nil {
			t.Fatal(err)
		}
		if table == "audit_records" {
			s.recordBytes += bytes
			s.records += count(t, db, table)
			continue
		}
		s.bytes += bytes
		s.rows[room+" "+table] = count(t, db, table)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, db *sql.DB, table string) (rows int64) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM `+table).Scan(&rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

// soakSteps are the rests of a soak: between them a day and more goes by, so that
// what has expired is swept.
const soakSteps = 10

// soak runs so many flows: each gets a code with remembered consent, redeems it,
// refreshes, and one in ten gives its tokens back.
func soak(t *testing.T, p *platformtest.Platform, app *platformtest.App, members []*loop.Member, flows int) {
	t.Helper()
	var group sync.WaitGroup
	for i, m := range members {
		b := p.SignedIn(t, m)
		group.Go(func() {
			for flow := range flows / len(members) {
				tokens := app.Refresh(app.Redeem(app.Code(b, m)).Pair(t).Refresh).Pair(t)
				if (flow+i)%10 == 0 {
					app.Send("/v1/oauth/revoke", url.Values{"token": {tokens.Refresh}}, nil)
				}
			}
		})
	}
	group.Wait()
}

// vacuum gives back what deleted rows took, as PostgreSQL does by itself now and then.
func vacuum(t *testing.T, p *platformtest.Platform) {
	t.Helper()
	if !platformtest.OnPostgres() {
		return
	}
	db := p.Database(t, "identity")
	defer db.Close() //nolint:errcheck // the test's own
	if _, err := db.ExecContext(t.Context(), `VACUUM`); err != nil {
		t.Fatal(err)
	}
}

func TestSoak_NothingGrowsButTheRecord(t *testing.T) {
	flows := share(20_000)
	if os.Getenv("LOOP_TEST_LONG") == "true" {
		flows = 200_000
	}
	p := platformtest.NewWith(t, func(c *platform.Config) { c.Log = slog.New(slog.DiscardHandler) }) // the test's own log grows
	app := p.AddApp(t, nil)
	members := make([]*loop.Member, 16)
	for i := range members {
		members[i] = p.AddMember(t, fmt.Sprintf("Member%d", i))
	}
	var first, last size
	for step := range soakSteps {
		soak(t, p, app, members, flows/soakSteps)
		p.World.Advance(30 * time.Hour)
		if err := p.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		vacuum(t, p)
		if step == 0 {
			first = measure(t, p)
		}
	}
	last = measure(t, p)
	for _, table := range slices.Sorted(maps.Keys(last.rows)) {
		if grew := last.rows[table] - first.rows[table]; grew > int64(len(members)) {
			t.Errorf("%s grew by %d rows to %d", table, grew, last.rows[table])
		}
	}
	for what, c := range map[string]struct{ first, last, most int64 }{
		// Pages come and go; PostgreSQL keeps as many as the fullest moment took.
		"bytes of both databases": {first.bytes, last.bytes, 1<<20 + first.bytes/10},
		"bytes of the heap":       {first.heap, last.heap, 8 << 20},
		"goroutines":              {int64(first.goroutines), int64(last.goroutines), 4},
		"open files":              {int64(first.files), int64(last.files), 4},
	} {
		if c.last-c.first > c.most {
			t.Errorf("%s: %d after a tenth, and %d in the end", what, c.first, c.last)
		}
	}
	each := (last.recordBytes - first.recordBytes) / (last.records - first.records)
	if each > 900 {
		t.Errorf("an audit record takes %d bytes", each)
	}
	t.Logf("%d flows: %d bytes of state, %d audit records of %d bytes, heap %d KB, %d goroutines, %d files", flows, last.bytes, last.records, each, last.heap>>10, last.goroutines, last.files)
}
