// Package folder keeps two processes from one state folder.
package folder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrTaken is returned by Lock where another process has the folder.
var ErrTaken = errors.New("another loop process is using it")

const lockFile = "lock"

// Lock takes the folder for this process: an operating system's lock on a file
// in it, which ends with the process however it ends. ErrTaken where another
// process has it.
func Lock(dir string) (release func() error, err error) {
	file, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // G304: the folder that the operator names
	if err != nil {
		return nil, fmt.Errorf("the folder %s can't be written: %w", dir, err)
	}
	if err := lock(file); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("the folder %s can't be used: %w", dir, err)
	}
	return file.Close, nil
}
