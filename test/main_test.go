package test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/loop-health/loop/test/process"
)

// loopBinary is the built platform, the one that every test starts.
var loopBinary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	folder, err := os.MkdirTemp("", "loop-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "making a folder for the binary:", err)
		return 1
	}
	defer func() { _ = os.RemoveAll(folder) }()
	loopBinary = filepath.Join(folder, "loop")
	if err := process.Build(context.Background(), "..", loopBinary); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
