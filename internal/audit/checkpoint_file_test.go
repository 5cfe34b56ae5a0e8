package audit

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fileWith is a checkpoint file with this text.
func fileWith(t *testing.T, text string) (path string, f *checkpointFile, lines [][]byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "checkpoints")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, lines, err := openCheckpointFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, f, lines
}

func holds(t *testing.T, path, want string) {
	t.Helper()
	if text, err := os.ReadFile(path); err != nil || string(text) != want {
		t.Errorf("the file holds %q, not %q (%v)", text, want, err)
	}
}

func TestSec163_HalfALineOfCheckpointsIsCutOffAtTheStart(t *testing.T) {
	t.Parallel()
	path, f, lines := fileWith(t, "one\ntwo\nthr")
	if got := string(bytes.Join(lines, []byte(" "))); got != "one two" {
		t.Errorf("it has the lines %q", got)
	}
	holds(t, path, "one\ntwo\n")
	if err := f.append([]byte("three")); err != nil {
		t.Fatal(err)
	}
	holds(t, path, "one\ntwo\nthree\n")
}

func TestSec163_WhatAFailedAppendLeftIsCutOffByTheNext(t *testing.T) {
	t.Parallel()
	path, f, _ := fileWith(t, "one\n")
	if err := os.WriteFile(path, []byte("one\ntw"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.append([]byte("two")); err != nil {
		t.Fatal(err)
	}
	holds(t, path, "one\ntwo\n")
}

func TestCheckpointFile_IsMadeWithItsFirstLine(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "checkpoints")
	f, lines, err := openCheckpointFile(path)
	if err != nil || len(lines) != 0 {
		t.Fatalf("%q, %v", lines, err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("it is there without a line")
	}
	if err := f.append([]byte("one")); err != nil {
		t.Fatal(err)
	}
	holds(t, path, "one\n")
}

func TestSec164_ACheckpointFileThatIsTakenAwayIsNotBegunAnew(t *testing.T) {
	t.Parallel()
	path, f, _ := fileWith(t, "one\n")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := f.append([]byte("two")); !errors.Is(err, errFileGone) {
		t.Errorf("it says: %v", err)
	}
	if err := os.WriteFile(path, []byte("o"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.append([]byte("two")); !errors.Is(err, errFileShrunk) {
		t.Errorf("without its lines: %v", err)
	}
	if err := os.WriteFile(path, []byte("one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.append([]byte("two")); err != nil {
		t.Errorf("once it is back: %v", err)
	}
	holds(t, path, "one\ntwo\n")
}

func TestCheckpointFile_OneThatCannotBeReadIsAnError(t *testing.T) {
	t.Parallel()
	if _, _, err := openCheckpointFile(t.TempDir()); err == nil || !strings.Contains(err.Error(), "reading audit checkpoints") {
		t.Errorf("a folder in its place: %v", err)
	}
}
