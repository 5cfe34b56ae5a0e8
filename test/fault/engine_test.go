package fault

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/loop-health/loop/test/process"
)

// engine is where a server keeps its state.
type engine interface {
	// name is the engine's, for the names of tests.
	name() string
	// settings makes an empty state in the folder, or beside it, and gives the
	// variables that lead `loop serve` to it. The state ends with the test.
	settings(t *testing.T, folder string) []string
	// awaitWrite returns in the middle of a write: after the engine began to make a
	// transaction durable, and likely before it has.
	awaitWrite(t *testing.T, s *server)
}

// engines are all that the platform can be on.
var engines = []engine{sqliteEngine{}, postgresEngine{}}

// onEach runs a test on every engine.
func onEach(t *testing.T, test func(*testing.T, engine)) {
	t.Helper()
	for _, e := range engines {
		on(t, e, test)
	}
}

// on runs a test on one engine.
func on(t *testing.T, e engine, test func(*testing.T, engine)) {
	t.Helper()
	t.Run(e.name(), func(t *testing.T) { test(t, e) })
}

// long says that the large numbers are to be run.
func long() bool { return os.Getenv("LOOP_TEST_LONG") == "true" }

// sized picks a number.
func sized(small, large int) int {
	if long() {
		return large
	}
	return small
}

type sqliteEngine struct{}

func (sqliteEngine) name() string                         { return "sqlite" }
func (sqliteEngine) settings(*testing.T, string) []string { return nil } // LOOP_DIR says it all

// awaitWrite waits until identity's write-ahead log was written to: the frames of
// a commit are there, and it is about to be synced.
func (sqliteEngine) awaitWrite(t *testing.T, s *server) {
	t.Helper()
	wal := filepath.Join(s.folder, "identity.db-wal")
	written := func() time.Time {
		info, err := os.Stat(wal)
		if err != nil {
			return time.Time{}
		}
		return info.ModTime()
	}
	before := written()
	for giveUp := time.Now().Add(process.Patience); written().Equal(before); {
		if time.Now().After(giveUp) {
			t.Fatal("nothing is written")
		}
	}
}
