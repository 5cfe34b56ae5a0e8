package folder

import (
	"fmt"
	"os"
)

// Others' permissions, which a folder or a file of secrets must not give.
const (
	othersWrite = 0o002
	others      = 0o007
)

// CheckPrivate refuses a folder that everybody may write to: they could put
// another database there. The error has the command that mends it.
func CheckPrivate(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("the folder %s can't be read: %w", dir, err)
	}
	if enforced && info.Mode().Perm()&othersWrite != 0 {
		return fmt.Errorf("everybody on this machine may write to the folder %s (%#o), and put another database there: run chmod 0700 %s", dir, info.Mode().Perm(), dir)
	}
	return nil
}

// CheckSecret refuses a file of secrets that everybody may read or write. The error
// has the command that mends it.
func CheckSecret(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("%s can't be read: %w", path, err)
	}
	if enforced && info.Mode().Perm()&others != 0 {
		return fmt.Errorf("everybody on this machine may read %s (%#o), which opens all that the platform keeps: run chmod 0600 %s, and consider whether somebody has", path, info.Mode().Perm(), path)
	}
	return nil
}
