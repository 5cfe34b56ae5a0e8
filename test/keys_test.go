package test

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestKeysAreChangedUnderARunningPlatform(t *testing.T) {
	p := startPlatform(t, "--no-quickstart")
	v := p.visitor(t)
	verifier := rand.Text() + rand.Text()
	held := v.redeem(t, v.code(t, verifier), verifier)
	must := func(args ...string) string {
		t.Helper()
		out, complaint, status := p.loop(t, args...)
		if status != 0 {
			t.Fatalf("loop %s: status %d: %s", strings.Join(args, " "), status, complaint)
		}
		return out
	}

	must("keys", "rotate")
	if list := must("keys", "list"); strings.Count(list, "announced") < 10 {
		t.Errorf("after a rotation the keys are:\n%s", list)
	}
	held = v.refresh(t, held.Refresh)
	if status, _ := v.biomarkers(t, held.Access); status != http.StatusOK {
		t.Errorf("after a rotation lab results answer %d", status)
	}

	must("keys", "revoke", "1") // the first is that of the access tokens
	if status, _ := v.biomarkers(t, held.Access); status != http.StatusUnauthorized {
		t.Errorf("an access token whose key was revoked gets %d", status)
	}

	var secret [32]byte
	_, _ = rand.Read(secret[:])
	master := base64.StdEncoding.EncodeToString(secret[:])
	p.secrets.saw("master key", master)
	path := filepath.Join(t.TempDir(), "new.key")
	if err := os.WriteFile(path, []byte(master+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	must("keys", "rewrap", "--master-key-file", path)
	held = v.refresh(t, held.Refresh)
	p.stop(t)
	if _, complaint, status := p.loop(t, "keys", "list"); status == 0 || !strings.Contains(complaint, "master key") {
		t.Errorf("with the old master key: status %d: %s", status, complaint)
	}
	if err := os.Rename(path, filepath.Join(p.folder, ".loop", "master.key")); err != nil {
		t.Fatal(err)
	}
	p.start(t)
	v = p.visitor(t)
	if held = v.refresh(t, held.Refresh); held.status != http.StatusOK {
		t.Errorf("under the new master key a refresh answers %d %s", held.status, held.Error)
	}
	must("audit", "verify")
}
