package fault

import (
	"bytes"
	_ "embed" // the commit
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loop-health/loop/test/process"
)

// previousRelease is the commit of the release before this one. It moves on when a
// release is made.
//
//go:embed previous-release
var previousRelease string

// buildPrevious builds that release out of the project's own history.
func buildPrevious(t *testing.T) (binary string) {
	t.Helper()
	folder := t.TempDir()
	archive := exec.CommandContext(t.Context(), "git", "archive", "--format=tar", strings.TrimSpace(previousRelease))
	archive.Dir = filepath.Join("..", "..")
	content, err := archive.Output()
	if err != nil {
		what := "the history of this clone does not reach back to the previous release"
		if os.Getenv("CI") == "true" || os.Getenv("LOOP_TEST_STRICT") == "true" {
			t.Fatalf("%s: %v", what, err)
		}
		t.Skipf("left out: %s: git fetch --unshallow", what)
	}
	unpack := exec.CommandContext(t.Context(), "tar", "-x", "-C", folder)
	unpack.Stdin = bytes.NewReader(content)
	if out, err := unpack.CombinedOutput(); err != nil {
		t.Fatalf("unpacking the previous release: %v: %s", err, out)
	}
	binary = filepath.Join(folder, "loop")
	must(t, process.Build(t.Context(), folder, binary))
	return binary
}

// While replicas are replaced one by one, the release before serves on the schemas of
// this one, beside it: either goes on with what the other gave.
func TestMigrate_ThePreviousReleaseRunsOnTheNewSchemas(t *testing.T) {
	previous := buildPrevious(t)
	database := newDatabase(t)
	migrate(t, database)
	before := newServer(t, boundTo{}, t.TempDir())
	before.binary = previous
	before.env = append(before.env, "LOOP_DATABASE="+database)
	before.start()
	before.app = before.newApp()
	ada := before.newPerson("Ada")
	first, err := ada.connect()
	held := first.must(t, err)

	after := before.replica()
	after.binary = loopBinary
	after.start()
	there := *ada
	there.server, there.http = after, &http.Client{Transport: after.transport(), Timeout: process.Patience}
	for range 3 {
		next, err := there.refresh(held.Refresh)
		held = next.must(t, err)
		next, err = ada.refresh(held.Refresh)
		held = next.must(t, err)
		for _, p := range []*person{ada, &there} {
			if status, _, err := p.read(held.Access); err != nil || status != http.StatusOK {
				t.Errorf("reading: %d, %v", status, err)
			}
		}
	}
	if status, _, err := there.revoke(held.Access); err != nil || status != http.StatusOK {
		t.Fatalf("revoking: %d, %v", status, err)
	}
	if status, _, err := ada.read(held.Access); err != nil || status != http.StatusUnauthorized {
		t.Errorf("what the new release revoked, the one before answers with %d, %v", status, err)
	}
	after.verifyAudit()
	before.stop()
	after.stop()
}
