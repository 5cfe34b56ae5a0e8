package platform_test

import (
	"bytes"
	"context"
	"database/sql"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/loop-health/loop/internal/backup"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// backUp makes a backup.
func backUp(t *testing.T, p *platformtest.Platform) []byte {
	t.Helper()
	var archive bytes.Buffer
	if _, _, err := p.Backup(t.Context(), &archive); err != nil {
		t.Fatal(err)
	}
	return archive.Bytes()
}

// remembered is a member who uses an app, at the moment of a backup.
type remembered struct {
	p       *platformtest.Platform
	app     *platformtest.App
	ada     *loop.Member
	browser *platformtest.Browser
	tokens  platformtest.Tokens
	unused  string // a code
	archive []byte
}

func remember(t *testing.T) *remembered {
	t.Helper()
	p := platformtest.New(t)
	r := &remembered{p: p, app: p.AddApp(t, nil), ada: p.AddMember(t, "Ada"), browser: p.NewBrowser(t)}
	r.tokens = r.app.Redeem(r.app.Code(r.browser, r.ada)).Pair(t)
	r.unused = r.app.Code(r.browser, r.ada)
	if status := p.Biomarkers(t, r.tokens.Access).StatusCode; status != http.StatusOK {
		t.Fatalf("a read before the backup: %d", status)
	}
	r.archive = backUp(t, p)
	return r
}

// nothingCameBack holds a platform to the promise of a restore: nothing that was
// given goes on, and everybody can begin again.
func (r *remembered) nothingCameBack(t *testing.T) {
	t.Helper()
	if status := r.p.Biomarkers(t, r.tokens.Access).StatusCode; status != http.StatusUnauthorized {
		t.Errorf("an access token from before: %d", status)
	}
	if got := r.app.Refresh(r.tokens.Refresh).JSON(t)["error"]; got != "invalid_grant" {
		t.Errorf("a refresh token from before: %v", got)
	}
	if got := r.app.Redeem(r.unused).JSON(t)["error"]; got != "invalid_grant" {
		t.Errorf("a code from before: %v", got)
	}
	silent := r.app.Request()
	silent.Set("prompt", "none")
	if got := r.browser.Authorize(silent).Redirected(t).Query().Get("error"); got != "login_required" {
		t.Errorf("a session from before: %q", got)
	}
	b := r.p.SignedIn(t, r.ada)
	if got := b.Authorize(silent).Redirected(t).Query().Get("error"); got != "consent_required" {
		t.Errorf("prompt=none after a restore: %q", got)
	}
	if page := b.Follow(b.Authorize(r.app.Request())); !strings.Contains(page.Text, `id="allow"`) {
		t.Errorf("the member is not asked again: %d", page.StatusCode)
	}
	tokens := r.app.Redeem(r.app.Code(b, r.ada)).Pair(t)
	if status := r.p.Biomarkers(t, tokens.Access).StatusCode; status != http.StatusOK {
		t.Errorf("a read after the member has confirmed: %d", status)
	}
	if got := b.Authorize(silent).Redirected(t).Query(); got.Get("code") == "" {
		t.Errorf("prompt=none after the member has confirmed: %v", got)
	}
	r.app.Refresh(tokens.Refresh).Pair(t)
	if err := r.p.Run(t, "audit", "verify"); err != nil {
		t.Error(err)
	}
	r.p.Restart(t)
	if status := r.p.Biomarkers(t, tokens.Access).StatusCode; status != http.StatusOK {
		t.Errorf("after one more start: %d", status)
	}
}

func TestRestore_NeitherRevokedTokensNorConsentsComeBack(t *testing.T) {
	t.Parallel()
	platformtest.OnSQLite(t)
	r := remember(t)
	r.app.Send("/v1/oauth/revoke", url.Values{"token": {r.tokens.Refresh}}, nil) // which the backup does not know of
	done, err := r.p.Restore(t, bytes.NewReader(r.archive))
	if err != nil {
		t.Fatal(err)
	}
	if done.Ended.Grants != 1 || done.Ended.Chains != 1 || done.Ended.Sessions != 1 || done.Epoch.Number != 2 || done.Records == 0 {
		t.Errorf("the restore came to %+v", done)
	}
	if _, err := os.Stat(filepath.Join(done.Aside, "identity.db")); err != nil {
		t.Errorf("what was there before: %v", err)
	}
	r.nothingCameBack(t)
}

// The state's own counter is set back by a restore; an epoch's is not.
func TestRestore_AnEpochBeginsBehindAllThatWasSeen(t *testing.T) {
	t.Parallel()
	platformtest.OnSQLite(t)
	r := remember(t)
	for range 5 {
		tokens := r.app.Redeem(r.app.Code(r.browser, r.ada)).Pair(t)
		r.app.Send("/v1/oauth/revoke", url.Values{"token": {tokens.Access}}, nil)
	}
	seen := r.p.OAuth.Revocations.Epoch()
	for want := uint64(2); want < 4; want++ {
		done, err := r.p.Restore(t, bytes.NewReader(r.archive))
		if err != nil {
			t.Fatal(err)
		}
		if done.Epoch.Number != want || done.Epoch.Counter <= seen.Counter {
			t.Errorf("behind %+v begins %+v", seen, done.Epoch)
		}
		seen = done.Epoch
	}
	r.nothingCameBack(t)
}

func TestRestore_OnAnEmptyMachine(t *testing.T) {
	t.Parallel()
	platformtest.OnSQLite(t)
	r := remember(t)
	if err := r.p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"identity.db", "clinical.db", "audit-checkpoints.jsonl"} {
		if err := os.Remove(filepath.Join(r.p.Folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	done, err := r.p.Restore(t, bytes.NewReader(r.archive))
	if err != nil || done.Aside != "" {
		t.Fatalf("%+v, %v", done, err)
	}
	r.nothingCameBack(t)
}

// Sec161: whatever was done to the archive.
func TestRestore_AFaultyBackupIsRefusedAndChangesNothing(t *testing.T) {
	t.Parallel()
	platformtest.OnSQLite(t)
	r := remember(t)
	middle := len(r.archive) / 2
	changed := bytes.Clone(r.archive)
	changed[middle] ^= 1
	for name, c := range map[string]struct {
		archive []byte
		says    string
	}{
		"one bit is another":       {changed, "it was changed or cut off"},
		"its end is missing":       {r.archive[:middle], "it was changed or cut off"},
		"its last byte is missing": {r.archive[:len(r.archive)-1], "it was changed or cut off"},
		"something is behind it":   {append(bytes.Clone(r.archive), 0), "it was changed or cut off"},
		"it has a beginning alone": {r.archive[:512], "it was changed or cut off"},
		"it is no backup":          {[]byte("health data"), "not a backup"},
		"it is empty":              {nil, "not a backup"},
		"it is another platform's": {forged(t, r, r.p.Master(), func(m *backup.Manifest, _ string) { m.Issuer = "https://identity.platform.evil" }), "of https://identity.platform.evil"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := r.p.Restore(t, bytes.NewReader(c.archive))
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("it says: %v", err)
			}
			r.p.Open(t)
			if status := r.p.Biomarkers(t, r.tokens.Access).StatusCode; status != http.StatusOK {
				t.Errorf("the platform was changed: %d", status)
			}
		})
	}
}

func TestRestore_AStateThatWasSetBackIsNotServedUntilToldSo(t *testing.T) {
	t.Parallel()
	platformtest.OnSQLite(t)
	r := remember(t)
	old := copyOfState(t, r.p)
	r.app.Send("/v1/oauth/revoke", url.Values{"token": {r.tokens.Refresh}}, nil)
	if err := r.p.Close(context.Background()); err != nil { // with a checkpoint, which stays
		t.Fatal(err)
	}
	for name, content := range old {
		if err := os.WriteFile(filepath.Join(r.p.Folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.p.TryOpen(); err == nil || !strings.Contains(err.Error(), "loop restore --as-it-is") {
		t.Fatalf("a state in which a revoked token is good again: %v", err)
	}
	if done := r.p.RestoreAsItIs(t); done.Epoch.Number != 2 || done.Ended.Grants != 1 {
		t.Errorf("the restore came to %+v", done)
	}
	if status := r.p.Biomarkers(t, r.tokens.Access).StatusCode; status != http.StatusUnauthorized {
		t.Errorf("an access token from before: %d", status)
	}
}

// Whoever put it back, and whatever it is kept in: what the newest checkpoint has seen
// says so.
func TestRestore_AsItIsBeginsAnEpochOnAnyEngine(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	tokens := app.Redeem(app.Code(b, ada)).Pair(t)
	if r := app.Send("/v1/oauth/revoke", url.Values{"token": {tokens.Access}}, nil); r.StatusCode != http.StatusOK {
		t.Fatalf("revoking: %d %s", r.StatusCode, r.Text)
	}
	if err := p.Close(context.Background()); err != nil { // with a checkpoint
		t.Fatal(err)
	}
	change(t, p, `UPDATE revocation_counter SET value = 0`)
	change(t, p, `DELETE FROM revocations`)
	if err := p.TryOpen(); err == nil || !strings.Contains(err.Error(), "loop restore --as-it-is") {
		t.Fatalf("a state in which a revoked token is good again: %v", err)
	}
	if done := p.RestoreAsItIs(t); done.Epoch.Number != 2 || done.Ended.Grants != 1 {
		t.Errorf("the restore came to %+v", done)
	}
	if status := p.Biomarkers(t, tokens.Access).StatusCode; status != http.StatusUnauthorized {
		t.Errorf("an access token from before: %d", status)
	}
	if r := app.Refresh(tokens.Refresh); r.JSON(t)["error"] != "invalid_grant" {
		t.Errorf("a refresh token from before: %s", r.Text)
	}
	silent := app.Request()
	silent.Set("prompt", "none")
	if to := p.SignedIn(t, ada).Authorize(silent).Redirected(t); to.Query().Get("error") != "consent_required" {
		t.Errorf("prompt=none after a restore: %s", to)
	}
}

func TestSec362_AStateThatWasPutBackWithATriggerIsRefused(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	plant, remove := `CREATE TRIGGER spy AFTER UPDATE ON clients BEGIN UPDATE members SET suspended = 0; END`, `DROP TRIGGER spy`
	if platformtest.OnPostgres() {
		plant, remove = `CREATE RULE spy AS ON UPDATE TO clients DO ALSO UPDATE members SET suspended = false`, `DROP RULE spy ON clients`
	}
	execute := func(statement string) {
		t.Helper()
		if _, err := p.Database(t, "identity").ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	execute(plant)
	if done, err := p.TryRestoreAsItIs(t.Context()); err == nil || !strings.Contains(err.Error(), "spy on clients, which loop did not make") || done.Epoch.Number != 0 {
		t.Fatalf("it came to %+v, %v", done, err)
	}
	execute(remove)
	if done := p.RestoreAsItIs(t); done.Epoch.Number != 2 {
		t.Errorf("once it is gone: %+v", done)
	}
}

// copyOfState is the databases' files, from between two runs.
func copyOfState(t *testing.T, p *platformtest.Platform) map[string][]byte {
	t.Helper()
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	defer p.Open(t)
	files := make(map[string][]byte)
	for _, name := range []string{"identity.db", "clinical.db"} {
		content, err := os.ReadFile(filepath.Join(p.Folder, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = content
	}
	return files
}

func TestRestore_OneThatWasCutOffIsNotServed(t *testing.T) {
	t.Parallel()
	platformtest.OnSQLite(t)
	r := remember(t)
	if err := r.p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.p.Folder, "restore-unfinished"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(r.p.Folder, "identity.db")); err != nil { // moved already
		t.Fatal(err)
	}
	if err := r.p.TryOpen(); err == nil || !strings.Contains(err.Error(), "run loop restore with the backup again") {
		t.Fatalf("a folder with files of two moments: %v", err)
	}
	if _, err := os.Stat(filepath.Join(r.p.Folder, "identity.db")); err == nil {
		t.Error("a new state was begun")
	}
	if _, err := r.p.Restore(t, bytes.NewReader(r.archive)); err != nil {
		t.Fatal(err)
	}
	r.nothingCameBack(t)
}

func TestBackup_IsOfOneMomentWhileThePlatformServes(t *testing.T) {
	t.Parallel()
	platformtest.OnSQLite(t)
	r := remember(t)
	stop, cancel := context.WithCancel(t.Context())
	var load sync.WaitGroup
	for range 4 {
		app := r.p.AddApp(t, nil)
		tokens := app.Redeem(app.Code(r.p.SignedIn(t, r.ada), r.ada)).Pair(t)
		load.Go(func() {
			for stop.Err() == nil {
				tokens = app.Refresh(tokens.Refresh).Pair(t)
				r.p.Biomarkers(t, tokens.Access)
			}
		})
	}
	for range 5 {
		r.archive = backUp(t, r.p) // verifies what it has copied
	}
	cancel()
	load.Wait()
	if _, err := r.p.Restore(t, bytes.NewReader(r.archive)); err != nil {
		t.Fatal(err)
	}
	r.nothingCameBack(t)
}

func TestBackup_OfADamagedStateIsRefused(t *testing.T) {
	t.Parallel()
	platformtest.OnSQLite(t)
	r := remember(t)
	altered := execIn(t, filepath.Join(r.p.Folder, "identity.db"), `UPDATE audit_records SET event = 'nothing.happened' WHERE number = 3`)
	if altered != 1 {
		t.Fatalf("%d records were altered", altered)
	}
	var archive bytes.Buffer
	if _, _, err := r.p.Backup(t.Context(), &archive); err == nil || !strings.Contains(err.Error(), "record 3 was changed") || archive.Len() != 0 {
		t.Errorf("%d bytes, and it says: %v", archive.Len(), err)
	}
}

// execIn changes rows behind the platform's back, and says how many.
func execIn(t *testing.T, file, statement string) int64 {
	t.Helper()
	db, err := sql.Open("sqlite", file+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // the test's own
	result, err := db.ExecContext(t.Context(), statement)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := result.RowsAffected()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}
