//go:build unix

package connect

import (
	"context"
	"errors"
	"os"
	"syscall"
)

// lockFile takes a lock of the operating system's on a file.
func lockFile(ctx context.Context, path string) (release func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // G304: in the store's folder
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(err, file.Close())
		}
		if err := sleep(ctx, lookAgain); err != nil {
			return nil, errors.Join(err, file.Close())
		}
	}
}

// syncFolder makes renames within a folder durable.
func syncFolder(path string) error {
	folder, err := os.Open(path) //nolint:gosec // G304: the store's own
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
