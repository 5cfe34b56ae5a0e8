package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// checkpointFile is the file of checkpoints, a line each, which one process
// writes. A line is in it whole and durable, or not at all: one that was cut off
// while it was written goes before the next is appended.
type checkpointFile struct {
	path string
	size int64 // of all whole lines
}

// openCheckpointFile gives the lines that are there. What is behind the last
// whole one was cut off by a crash, and is taken out.
func openCheckpointFile(path string) (*checkpointFile, [][]byte, error) {
	text, err := readCheckpointFile(path)
	if err != nil {
		return nil, nil, err
	}
	f := &checkpointFile{path: path, size: int64(bytes.LastIndexByte(text, '\n') + 1)}
	if int64(len(text)) > f.size {
		if err := os.Truncate(path, f.size); err != nil {
			return nil, nil, fmt.Errorf("cutting off half a line of audit checkpoints: %w", err)
		}
	}
	return f, wholeLines(text), nil
}

// Faults of a file that another program changed while the platform runs.
var (
	errFileGone   = errors.New("the file of audit checkpoints was taken away: put it back")
	errFileShrunk = errors.New("the file of audit checkpoints lost lines that were written to it: put it back from a copy")
)

// append writes a line behind the others.
func (f *checkpointFile) append(line []byte) (err error) {
	file, err := f.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := f.cutOff(file); err != nil {
		return err
	}
	line = append(bytes.Clone(line), '\n')
	if _, err = file.WriteAt(line, f.size); err == nil {
		err = file.Sync()
	}
	if err == nil && f.size == 0 {
		err = syncFolder(filepath.Dir(f.path)) // the name is new
	}
	if err != nil {
		return errors.Join(err, file.Truncate(f.size)) // else the next one does
	}
	f.size += int64(len(line))
	return nil
}

func (f *checkpointFile) open() (*os.File, error) {
	how := os.O_WRONLY
	if f.size == 0 {
		how |= os.O_CREATE
	}
	file, err := os.OpenFile(f.path, how, 0o600)
	if f.size > 0 && errors.Is(err, fs.ErrNotExist) {
		return nil, errFileGone
	}
	return file, err
}

// cutOff takes out what an append that failed has left.
func (f *checkpointFile) cutOff(file *os.File) error {
	end, err := file.Seek(0, io.SeekEnd)
	switch {
	case err != nil:
		return err
	case end < f.size:
		return errFileShrunk
	case end > f.size:
		return file.Truncate(f.size)
	}
	return nil
}

func syncFolder(path string) error {
	folder, err := os.Open(path) //nolint:gosec // G304: the operator's own
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// ReadCheckpointLines reads the lines of a checkpoint file; none where the file
// is missing. A last line without its end was cut off while it was written, and
// is left out.
func ReadCheckpointLines(path string) ([][]byte, error) {
	text, err := readCheckpointFile(path)
	return wholeLines(text), err
}

func wholeLines(text []byte) [][]byte {
	lines := bytes.Split(text, []byte("\n"))
	return lines[:len(lines)-1]
}

func readCheckpointFile(path string) ([]byte, error) {
	text, err := os.ReadFile(path) //nolint:gosec // G304: the path is the operator's
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading audit checkpoints: %w", err)
	}
	return text, nil
}
