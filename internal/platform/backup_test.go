package platform_test

import (
	"archive/tar"
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/backup"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// backupNames are the files of a backup, in their order.
var backupNames = []string{"audit-checkpoints.jsonl", "clinical.db", "identity.db"}

func backupKey(t *testing.T, master *credential.Master) backup.Key {
	t.Helper()
	key, err := master.BackupKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// unpacked gives the folder and the manifest of a backup.
func unpacked(t *testing.T, r *remembered) (string, backup.Manifest) {
	t.Helper()
	folder := t.TempDir()
	manifest, err := backup.Unpack(bytes.NewReader(r.archive), backupKey(t, r.p.Master()), folder, backupNames...)
	if err != nil {
		t.Fatal(err)
	}
	return folder, manifest
}

// forged is a backup that somebody changed and made anew under a master key.
func forged(t *testing.T, r *remembered, master *credential.Master, alter func(m *backup.Manifest, folder string)) []byte {
	t.Helper()
	folder, manifest := unpacked(t, r)
	alter(&manifest, folder)
	var made bytes.Buffer
	if _, err := backup.Write(&made, backupKey(t, master), manifest, folder, backupNames...); err != nil {
		t.Fatal(err)
	}
	return made.Bytes()
}

// plainArchive is a backup as earlier versions wrote it.
func plainArchive(t *testing.T) []byte {
	t.Helper()
	var made bytes.Buffer
	archive := tar.NewWriter(&made)
	manifest := `{"format": 1}`
	if err := archive.WriteHeader(&tar.Header{Name: "manifest.json", Size: int64(len(manifest)), Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(archive, manifest); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return made.Bytes()
}

func TestSec160_NothingInABackupCanBeReadWithoutTheMasterKey(t *testing.T) {
	t.Parallel()
	platformtest.OnSQLite(t)
	r := remember(t)
	folder, _ := unpacked(t, r)
	for _, secret := range []string{string(r.ada.Email), r.ada.Name, string(r.ada.ID), "SQLite format 3", "CREATE TABLE", `"issuer"`} {
		if bytes.Contains(r.archive, []byte(secret)) {
			t.Errorf("the backup shows %q to everybody", secret)
		}
	}
	another, _ := credential.NewMaster(loop.Machine{})
	_, err := backup.Unpack(bytes.NewReader(r.archive), backupKey(t, another), t.TempDir(), backupNames...)
	if err == nil || !strings.Contains(err.Error(), "the master key does not open this backup") {
		t.Errorf("under another master key: %v", err)
	}
	if names, err := filepath.Glob(filepath.Join(folder, "*")); err != nil || len(names) != len(backupNames) {
		t.Errorf("under the right one: %v, %v", names, err)
	}
}

func TestSec161_Sec162_ABackupThatSomebodyMadeAnewIsRefusedAndChangesNothing(t *testing.T) {
	t.Parallel()
	platformtest.OnSQLite(t)
	r := remember(t)
	another, _ := credential.NewMaster(loop.Machine{})
	inIdentity := func(statement string) func(*backup.Manifest, string) {
		return func(_ *backup.Manifest, folder string) {
			execIn(t, filepath.Join(folder, "identity.db"), statement)
		}
	}
	trigger := inIdentity(`CREATE TRIGGER evil AFTER INSERT ON grants BEGIN UPDATE clients SET verified = 1; END`)
	for name, c := range map[string]struct {
		archive []byte
		says    string
	}{
		"without the master key":                   {forged(t, r, another, inIdentity(`UPDATE members SET password = 'another'`)), "the master key does not open this backup"},
		"as earlier versions did, without any key": {plainArchive(t), "neither encrypted nor authenticated"},
		"with a trigger":                           {forged(t, r, r.p.Master(), trigger), "holds a trigger evil on grants"},
		"with a view":                              {forged(t, r, r.p.Master(), inIdentity(`CREATE VIEW evil AS SELECT * FROM members`)), "holds a view evil"},
		"with a table":                             {forged(t, r, r.p.Master(), inIdentity(`CREATE TABLE evil (x)`)), "holds a table evil"},
		"without an index":                         {forged(t, r, r.p.Master(), inIdentity(`DROP INDEX `+anIndex(t, r))), "is missing or was changed"},
		"with a column more":                       {forged(t, r, r.p.Master(), inIdentity(`ALTER TABLE members ADD COLUMN evil TEXT`)), "table members is missing or was changed"},
		"with the schema of a newer version":       {forged(t, r, r.p.Master(), inIdentity(`INSERT INTO schema_migrations VALUES ('room', 999, '0999_future.sql', 0)`)), "a newer version of loop"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := r.p.Restore(t, bytes.NewReader(c.archive)); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("it says: %v", err)
			}
			r.p.Open(t)
			if status := r.p.Biomarkers(t, r.tokens.Access).StatusCode; status != http.StatusOK {
				t.Errorf("the platform was changed: %d", status)
			}
		})
	}
}

// anIndex names one of identity's.
func anIndex(t *testing.T, r *remembered) (name string) {
	t.Helper()
	err := r.p.Database(t, "identity").QueryRowContext(t.Context(), `SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY name`).Scan(&name)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func TestSec162_NoBackupIsMadeOfADatabaseWithAForeignTrigger(t *testing.T) {
	t.Parallel()
	platformtest.OnSQLite(t)
	r := remember(t)
	execIn(t, filepath.Join(r.p.Folder, "identity.db"), `CREATE TRIGGER evil AFTER INSERT ON grants BEGIN UPDATE clients SET verified = 1; END`)
	var archive bytes.Buffer
	if _, _, err := r.p.Backup(t.Context(), &archive); err == nil || !strings.Contains(err.Error(), "holds a trigger evil on grants") || archive.Len() != 0 {
		t.Errorf("%d bytes, and it says: %v", archive.Len(), err)
	}
}

func TestSec199_ACopyThatAKilledBackupLeftIsDeletedAtTheNextStart(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	var left []string
	for _, name := range []string{"backup-unfinished", "restore-incoming"} {
		dir := filepath.Join(p.Folder, name)
		left = append(left, dir)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "identity.db"), []byte("a copy"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.Restart(t)
	for _, dir := range left {
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", dir, err)
		}
	}
}
