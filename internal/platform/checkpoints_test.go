package platform_test

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

func checkpointsOf(p *platformtest.Platform) string {
	return filepath.Join(p.Folder, "audit-checkpoints.jsonl")
}

// edit changes the checkpoints of a platform that does not run.
func edit(t *testing.T, p *platformtest.Platform, change func(text []byte) []byte) {
	t.Helper()
	text, err := os.ReadFile(checkpointsOf(p))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(checkpointsOf(p), change(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// revoked is a stopped platform on which a member has taken a token back.
func revoked(t *testing.T) (p *platformtest.Platform, app *platformtest.App, ada *loop.Member, tokens platformtest.Tokens) {
	t.Helper()
	p = platformtest.New(t)
	app, ada = p.AddApp(t, nil), p.AddMember(t, "Ada")
	tokens = app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t)
	if r := app.Send("/v1/oauth/revoke", url.Values{"token": {tokens.Access}}, nil); r.StatusCode != http.StatusOK {
		t.Fatalf("revoking: %d %s", r.StatusCode, r.Text)
	}
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	return p, app, ada, tokens
}

func TestSec163_HalfACheckpointThatACrashLeftIsCutOff(t *testing.T) {
	t.Parallel()
	p, _, _, _ := revoked(t)
	edit(t, p, func(text []byte) []byte { return append(text, `{"checkpoint":{"at":"20`...) })
	p.Open(t)
	p.AddMember(t, "Bea") // something that the next checkpoint covers
	p.Restart(t)
	if err := p.Run(t, "audit", "verify"); err != nil {
		t.Errorf("loop audit verify: %v", err)
	}
	if !platformtest.OnPostgres() {
		if _, _, err := p.Backup(t.Context(), new(bytes.Buffer)); err != nil {
			t.Errorf("loop backup: %v", err)
		}
	}
}

func TestSec164_WithoutTheNewestCheckpointAnOlderDatabaseIsNotServed(t *testing.T) {
	t.Parallel()
	garble := func(t *testing.T, p *platformtest.Platform) {
		edit(t, p, func(text []byte) []byte {
			newest := bytes.LastIndexByte(text[:len(text)-1], '\n') + 1
			return append(text[:newest:newest], "{}\n"...)
		})
	}
	attacks := map[string]func(*testing.T, *platformtest.Platform){
		"the newest line is garbled": garble,
		"the newest line is another platform's": func(t *testing.T, p *platformtest.Platform) {
			edit(t, p, func(text []byte) []byte {
				return bytes.ReplaceAll(text, []byte(`"signature":"`), []byte(`"signature":"AAAA`))
			})
		},
	}
	if !platformtest.OnPostgres() { // where a folder may be new to the database
		attacks["the file is gone"] = func(t *testing.T, p *platformtest.Platform) {
			if err := os.Remove(checkpointsOf(p)); err != nil {
				t.Fatal(err)
			}
		}
		attacks["the file is empty"] = func(t *testing.T, p *platformtest.Platform) { edit(t, p, func([]byte) []byte { return nil }) }
	}
	for name, attack := range attacks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, app, ada, tokens := revoked(t)
			change(t, p, `UPDATE revocation_counter SET value = 0`)
			change(t, p, `DELETE FROM revocations`)
			attack(t, p)
			err := p.TryOpen()
			if err == nil {
				t.Fatal("a state in which a revoked token is good again is served")
			}
			for _, way := range []string{"Put the file back from a copy", "loop restore --as-it-is", checkpointsOf(p)} {
				if !strings.Contains(err.Error(), way) {
					t.Errorf("it does not name %q: %v", way, err)
				}
			}
			if done := p.RestoreAsItIs(t); done.Epoch.Number != 2 {
				t.Errorf("the restore came to %+v", done)
			}
			if status := p.Biomarkers(t, tokens.Access).StatusCode; status != http.StatusUnauthorized {
				t.Errorf("the revoked token is answered %d", status)
			}
			if got := app.Refresh(tokens.Refresh).JSON(t)["error"]; got != "invalid_grant" {
				t.Errorf("a refresh token from before: %v", got)
			}
			app.Redeem(app.Code(p.SignedIn(t, ada), ada)).Pair(t)
			p.Restart(t)
			if err := p.Run(t, "audit", "verify"); err != nil {
				t.Errorf("loop audit verify: %v", err)
			}
		})
	}
}

// A first start that is cut off has made its keys, and not yet a checkpoint.
func TestCheckpoints_AFirstStartThatWasCutOffGoesOn(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	change(t, p, `DELETE FROM audit_records WHERE event NOT LIKE 'key.%'`)
	if err := os.Remove(checkpointsOf(p)); err != nil {
		t.Fatal(err)
	}
	p.Open(t)
	if err := p.Run(t, "audit", "verify"); err != nil {
		t.Error(err)
	}
}

func TestSec165_ReadinessIsRedWhileNoCheckpointCanBeWritten(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ready := func() error {
		for _, check := range p.Checks() {
			if check.Name == "audit checkpoints" {
				return check.Run(t.Context())
			}
		}
		t.Fatal("nobody looks at the checkpoints")
		return nil
	}
	if err := ready(); err != nil {
		t.Errorf("at the start: %v", err)
	}
	aside := checkpointsOf(p) + ".aside"
	if err := os.Rename(checkpointsOf(p), aside); err != nil {
		t.Fatal(err)
	}
	p.AddMember(t, "Ada")
	if err := p.MakeCheckpoint(t.Context()); err == nil {
		t.Error("a checkpoint was made in a new file")
	}
	if err := ready(); err == nil || !strings.Contains(err.Error(), "taken away") {
		t.Errorf("without its file: %v", err)
	}
	if err := os.Rename(aside, checkpointsOf(p)); err != nil {
		t.Fatal(err)
	}
	if err := p.MakeCheckpoint(t.Context()); err != nil {
		t.Error(err)
	}
	if err := ready(); err != nil {
		t.Errorf("once the file is back: %v", err)
	}
}
