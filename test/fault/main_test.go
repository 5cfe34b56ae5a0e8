package fault

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/loop-health/loop/test/process"
)

// loopBinary is the built platform, and clockBinary the same with a clock that a
// test can set.
var loopBinary, clockBinary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	folder, err := os.MkdirTemp("", "loop-fault-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "making a folder for the binary:", err)
		return 1
	}
	defer func() { _ = os.RemoveAll(folder) }()
	loopBinary, clockBinary = filepath.Join(folder, "loop"), filepath.Join(folder, "loop-clock")
	for path, tags := range map[string][]string{loopBinary: nil, clockBinary: {"loop_test_clock"}} {
		if err := process.Build(context.Background(), filepath.Join("..", ".."), path, tags...); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	code := m.Run()
	if err := removeCommonServer(); err != nil {
		fmt.Fprintln(os.Stderr, "removing the PostgreSQL server of the tests:", err)
		return max(code, 1)
	}
	return code
}
