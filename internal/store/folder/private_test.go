//go:build unix

package folder

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSec198_AFolderThatEverybodyMayWriteToIsRefused(t *testing.T) {
	t.Parallel()
	for mode, good := range map[os.FileMode]bool{0o700: true, 0o750: true, 0o755: true, 0o770: true, 0o777: false, 0o702: false} {
		dir := filepath.Join(t.TempDir(), "loop")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		if err := CheckPrivate(dir); (err == nil) != good || err != nil && !strings.Contains(err.Error(), "chmod 0700 "+dir) {
			t.Errorf("%#o: %v", mode, err)
		}
	}
}

func TestSec198_ASecretThatEverybodyMayReadIsRefused(t *testing.T) {
	t.Parallel()
	for mode, good := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o440: true, 0o640: true, 0o644: false, 0o604: false, 0o666: false} {
		path := filepath.Join(t.TempDir(), "master.key")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if err := CheckSecret(path); (err == nil) != good || err != nil && !strings.Contains(err.Error(), "chmod 0600 "+path) {
			t.Errorf("%#o: %v", mode, err)
		}
	}
}
