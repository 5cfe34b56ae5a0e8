package clients

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/loop-health/loop/test/process"
)

// loopBinary is the built platform.
var loopBinary string

var update = flag.Bool("update", false, "write what came of this run into results.json")

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	flag.Parse()
	folder, err := os.MkdirTemp("", "loop-clients-")
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
