package folder_test

import (
	"errors"
	"testing"

	"github.com/loop-health/loop/internal/store/folder"
)

func TestLock_KeepsASecondOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	release, err := folder.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := folder.Lock(dir); !errors.Is(err, folder.ErrTaken) {
		t.Fatalf("a second lock: got %v, want ErrTaken", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	again, err := folder.Lock(dir)
	if err != nil {
		t.Fatalf("after the release: %v", err)
	}
	_ = again()
}

func TestLock_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	if _, err := folder.Lock(t.TempDir() + "/missing"); err == nil {
		t.Error("a folder that is not there was locked")
	}
}
