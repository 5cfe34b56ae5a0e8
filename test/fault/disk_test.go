package fault

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// mountSmall mounts a small disk of the test's own; it takes root.
func mountSmall(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=24m,mode=0700", "loop-test", folder).CombinedOutput(); err != nil {
		what := fmt.Sprintf("no file system can be mounted (%v: %s)", err, strings.TrimSpace(string(out)))
		if os.Getenv("CI") == "true" || os.Getenv("LOOP_TEST_STRICT") == "true" {
			t.Fatalf("%s, and here nothing may be left out", what)
		}
		t.Skipf("left out: %s; it takes root", what)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return folder
}

// fill writes a file until the disk has no room for one more byte.
func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	for _, step := range []int{1 << 20, 4 << 10, 1} {
		for err = nil; err == nil; {
			_, err = io.WriteString(file, strings.Repeat("x", step))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
}

// A full disk is SQLite's to meet: with PostgreSQL the data is on the disk of its
// server, and what the platform sees is the same as of any database that refuses.
func TestDisk_AFullOneIsAClearRefusalAndMendsByItself(t *testing.T) {
	on(t, sqliteEngine{}, func(t *testing.T, e engine) {
		disk := mountSmall(t)
		s := newServer(t, e, filepath.Join(disk, "state"))
		s.start()
		s.app = s.newApp()
		ada := s.newPerson("Ada")
		first, err := ada.connect()
		held := first.must(t, err)
		s.awaitReady(t, http.StatusOK)

		filler := filepath.Join(disk, "filler")
		fill(t, filler)
		refused := held
		await(t, "a write is never refused", func() (string, bool) { // the log has some room of its own
			got, err := ada.refresh(held.Refresh)
			if err != nil {
				t.Fatalf("on a full disk there is no answer: %v", err)
			}
			if got.status == http.StatusOK {
				held = got
			}
			refused = got
			return got.Error, got.status != http.StatusOK
		})
		if refused.status != http.StatusServiceUnavailable || refused.Error != "temporarily_unavailable" {
			t.Errorf("on a full disk a write is answered %d %s", refused.status, refused.Error)
		}
		if says := s.awaitReady(t, http.StatusServiceUnavailable); !strings.Contains(says, "can't be written") {
			t.Errorf("/readyz says: %s", says)
		}
		if status, _, err := ada.read(held.Access); err != nil || status != http.StatusServiceUnavailable {
			t.Errorf("a read that can't be recorded is answered %d, %v", status, err)
		}

		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		s.awaitReady(t, http.StatusOK)
		again, err := ada.refresh(held.Refresh)
		again.must(t, err)
		if status, _, err := ada.read(held.Access); err != nil || status != http.StatusOK {
			t.Errorf("with room again a read is answered %d, %v", status, err)
		}
		s.verifyAudit()
		s.stop()
		s.verifyAudit()
	})
}

func TestDisk_AFolderThatCanOnlyBeReadIsOneClearSentence(t *testing.T) {
	on(t, sqliteEngine{}, func(t *testing.T, e engine) {
		disk := mountSmall(t)
		s := newServer(t, e, filepath.Join(disk, "state"))
		s.start()
		s.app = s.newApp()
		ada := s.newPerson("Ada")
		first, err := ada.connect()
		held := first.must(t, err)
		s.stop()

		remount(t, disk, "ro")
		_, said, status := s.try("serve")
		_, complaint, _ := strings.Cut(said, "loop: ") // what it logged stands before
		if status != 1 || !strings.Contains(complaint, "read-only") || strings.Count(strings.TrimSpace(complaint), "\n") > 0 {
			t.Errorf("on a folder that can only be read: status %d: %s", status, said)
		}
		remount(t, disk, "rw")
		s.start()
		again, err := ada.refresh(held.Refresh)
		again.must(t, err)
		s.verifyAudit()
		s.stop()
	})
}

func remount(t *testing.T, folder, how string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "mount", "-o", "remount,"+how, folder).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
