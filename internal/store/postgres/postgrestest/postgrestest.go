//go:build unix

package postgrestest

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// One server for all tests of a package, started by the first that needs it.
var (
	start  sync.Once
	common *Server
	fault  error
	number atomic.Int64
)

// Main runs the tests of a package, and ends the server that they used.
func Main(m *testing.M) {
	code := m.Run()
	if common != nil {
		if err := common.Remove(); err != nil {
			fmt.Fprintln(os.Stderr, "removing the PostgreSQL server of the tests:", err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// Database makes an empty database for a test and gives its address. Nothing of it
// is ever synced to a disk. Where there is no PostgreSQL the test is left out; with
// CI=true or LOOP_TEST_STRICT=true it fails.
func Database(t testing.TB) string {
	t.Helper()
	start.Do(func() {
		if common, fault = New("fsync=off", "synchronous_commit=off", "full_page_writes=off"); fault == nil {
			fault = common.Start()
		}
	})
	Need(t, fault)
	name := fmt.Sprintf("test_%d", number.Add(1))
	address, err := common.CreateDatabase(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// Need leaves a test out where PostgreSQL is missing, unless nothing may be left
// out; any other error fails it.
func Need(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case errors.Is(err, ErrMissing) && os.Getenv("CI") != "true" && !strings.EqualFold(os.Getenv("LOOP_TEST_STRICT"), "true"):
		t.Skipf("left out: %v", err)
	default:
		t.Fatal(err)
	}
}
