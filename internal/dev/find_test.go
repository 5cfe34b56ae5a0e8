package dev

import (
	"os"
	"path/filepath"
	"testing"
)

func TestFolder_OfAStartThatFailedHidesNoPlatform(t *testing.T) {
	t.Parallel()
	above := t.TempDir()
	here := filepath.Join(above, "app")
	if err := os.Mkdir(here, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{filepath.Join(above, StateFolder), filepath.Join(here, StateFolder)} {
		if err := prepareFolder(folder); err != nil {
			t.Fatal(err)
		}
	}
	if err := (&settings{Format: settingsFormat}).write(filepath.Join(above, StateFolder)); err != nil {
		t.Fatal(err)
	}
	found, err := Search{WorkingDir: here, Environment: Environment{"XDG_CACHE_HOME=" + t.TempDir()}}.Folder(t.Context())
	if err != nil || found != filepath.Join(above, StateFolder) {
		t.Errorf("found %q (%v), want the one above", found, err)
	}
}
