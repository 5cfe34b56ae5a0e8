package conformance

import (
	"context"
	"flag"
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
	flag.Parse()
	// Some modules wait for half a minute and more: those that work go on meanwhile.
	if err := flag.Set("test.parallel", "32"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	folder, err := os.MkdirTemp("", "loop-conformance-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "making a folder for the binary:", err)
		return 1
	}
	defer func() { _ = os.RemoveAll(folder) }()
	loopBinary = filepath.Join(folder, "loop")
	if err := process.Build(context.Background(), filepath.Join("..", ".."), loopBinary); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
