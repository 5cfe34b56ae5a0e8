package fault

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// PostgreSQL has its own tools (docs/operating.md); what follows them, a new
// epoch, is the same.
func TestBackup_IsMadeUnderLoadAndItsRestoreBringsBackNothingThatWasRevoked(t *testing.T) {
	s := startServer(t, sqliteEngine{})
	clients, j := begin(t, s, 4)
	ada := s.newPerson("Ada")
	first, err := ada.connect()
	held := first.must(t, err)

	wait := loadOf(t, clients)
	path := filepath.Join(t.TempDir(), "loop.backup")
	await(t, "nothing is answered", func() (string, bool) { return "", j.answered.Load() >= 40 })
	s.loop("backup", path)
	wait()
	if status, _, err := ada.revoke(held.Refresh); err != nil || status != http.StatusOK { // which the backup does not know of
		t.Fatalf("revoking: %d, %v", status, err)
	}
	if _, complaint, status := s.try("restore", path); status != 1 || !strings.Contains(complaint, "stop it first") {
		t.Errorf("while it runs: status %d: %s", status, complaint)
	}
	s.stop()
	s.loop("restore", path)
	s.start()

	if got, err := ada.refresh(held.Refresh); err != nil || got.Error != "invalid_grant" {
		t.Errorf("the refresh token that was revoked is answered %d %s, %v", got.status, got.Error, err)
	}
	if status, _, err := ada.read(held.Access); err != nil || status != http.StatusUnauthorized {
		t.Errorf("its access token is answered %d, %v", status, err)
	}
	silent, err := ada.authorize("a-code-verifier-that-is-long-enough-for-pkce", "prompt", "none")
	if err != nil || silent.Get("error") != "login_required" {
		t.Errorf("prompt=none with a session from before is %v, %v", silent, err)
	}
	again, err := ada.connect() // signs in, and allows it once more
	again.must(t, err)
	if silent, err = ada.authorize("a-code-verifier-that-is-long-enough-for-pkce", "prompt", "none"); err != nil || silent.Get("code") == "" {
		t.Errorf("prompt=none after that is %v, %v", silent, err)
	}
	s.verifyAudit()
	s.stop()
	s.verifyAudit()
}
