package test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
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
	if err := build(context.Background(), loopBinary); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// build makes the binary as a developer would; under -race it looks for data
// races too, and stop fails a test in whose run it found one.
func build(ctx context.Context, path string) error {
	args := []string{"build"}
	if raceEnabled {
		args = append(args, "-race")
	}
	command := exec.CommandContext(ctx, "go", append(args, "-o", path, "./cmd/loop")...)
	command.Dir = ".."
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("building the binary: %w\n%s", err, out)
	}
	return nil
}
