package platform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/loop-health/loop/internal/admin"
	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/backup"
	"github.com/loop-health/loop/internal/store/sqlite"
)

// backupFiles are the files of a backup, in their order: checkpoints first, so that
// they attest nothing that is not in it.
var backupFiles = append([]string{checkpointsFile}, sqlite.CopyFiles()...)

// snapshotFolder is where a backup is made and checked before it is handed out.
const snapshotFolder = "backup-unfinished"

// Backup writes a backup of the platform, as it is now, and gives its manifest
// and what was verified: every page of both databases, and the audit record with
// its checkpoints. Nothing is written where a fault was found. The platform
// serves meanwhile; the folder needs room for a second copy of the databases.
func (p *Platform) Backup(ctx context.Context, w io.Writer) (backup.Manifest, audit.Report, error) {
	p.backingUp.Lock()
	defer p.backingUp.Unlock()
	folder := filepath.Join(p.config.Folder, snapshotFolder)
	if err := makeAnew(folder); err != nil {
		return backup.Manifest{}, audit.Report{}, err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // the next backup tries again
	manifest := backup.Manifest{Issuer: p.tokens.Issuer, MadeAt: p.world.Now()}
	report, err := p.snapshot(ctx, folder)
	if err != nil {
		return manifest, report, err
	}
	if manifest.Epoch, err = p.store.Epoch(ctx); err != nil {
		return manifest, report, err
	}
	key, err := p.config.Master.BackupKey()
	if err != nil {
		return manifest, report, err
	}
	manifest, err = backup.Write(w, key, manifest, folder, backupFiles...)
	return manifest, report, err
}

// snapshot copies the state into a folder and verifies the copy. Checkpoints come
// first, so that they attest nothing that is not in it.
func (p *Platform) snapshot(ctx context.Context, folder string) (audit.Report, error) {
	if err := p.checkpoints.Make(ctx); err != nil {
		return audit.Report{}, err
	}
	lines, err := audit.ReadCheckpointLines(p.checkpointsPath())
	if err != nil {
		return audit.Report{}, err
	}
	whole := append(bytes.Join(lines, []byte("\n")), '\n')
	if err := os.WriteFile(filepath.Join(folder, checkpointsFile), whole, 0o600); err != nil {
		return audit.Report{}, err
	}
	if err := p.engine.copyTo(ctx, folder); err != nil {
		return audit.Report{}, err
	}
	return verifyFiles(ctx, folder, p.keys)
}

// verifyFiles checks the files of a backup: the databases and their schemas, and
// the audit record against its chain and checkpoints.
func verifyFiles(ctx context.Context, folder string, keys audit.Keys) (audit.Report, error) {
	lines, err := audit.ReadCheckpointLines(filepath.Join(folder, checkpointsFile))
	if err != nil {
		return audit.Report{}, err
	}
	databases, err := sqlite.OpenFolderCopy(folder)
	if err != nil {
		return audit.Report{}, err
	}
	defer databases.Close() //nolint:errcheck // reading
	if err := databases.Check(ctx); err != nil {
		return audit.Report{}, err
	}
	report, err := audit.Verify(ctx, keys, lines, databases.Identity, databases.Clinical)
	if err != nil {
		return report, fmt.Errorf("the audit record is not as it was written: %w", err)
	}
	return report, nil
}

// makeAnew makes a folder for the owner's eyes, in place of one that was left
// behind.
func makeAnew(folder string) error {
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	return os.Mkdir(folder, 0o700)
}

// BackupMemberKeys writes a backup of the store of member keys. It belongs apart from
// backups of the data, and MUST NOT be kept for longer than a week: with it, whoever was
// erased since can be read.
func (p *Platform) BackupMemberKeys(ctx context.Context, w io.Writer) (backup.Manifest, error) {
	p.backingUp.Lock()
	defer p.backingUp.Unlock()
	folder := filepath.Join(p.config.Folder, snapshotFolder)
	manifest := backup.Manifest{Issuer: p.tokens.Issuer, MadeAt: p.world.Now()}
	if err := makeAnew(folder); err != nil {
		return manifest, err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // the next backup tries again
	if err := p.engine.copyKeysTo(ctx, folder); err != nil {
		return manifest, err
	}
	key, err := p.config.Master.BackupKey()
	if err != nil {
		return manifest, err
	}
	return backup.Write(w, key, manifest, folder, sqlite.MemberKeysFile)
}

// RestoreMemberKeys puts a backup of the store of member keys into a folder that has
// none, whose lock the caller holds. An error changes nothing.
func RestoreMemberKeys(ctx context.Context, config Config, archive io.Reader) (backup.Manifest, error) {
	if config.Database != "" {
		return backup.Manifest{}, errOwnKeysBackup
	}
	target := filepath.Join(config.Folder, sqlite.MemberKeysFile)
	if there, err := holdsMemberKeys(ctx, config); err != nil || there {
		if err != nil {
			return backup.Manifest{}, err
		}
		return backup.Manifest{}, fmt.Errorf("%s is there: it knows who was erased since the backup was made. Move it away only if it can't be read", target)
	}
	incoming := filepath.Join(config.Folder, incomingFolder)
	if err := makeAnew(incoming); err != nil {
		return backup.Manifest{}, err
	}
	defer os.RemoveAll(incoming) //nolint:errcheck // the next restore tries again
	key, err := config.Master.BackupKey()
	if err != nil {
		return backup.Manifest{}, err
	}
	manifest, err := backup.Unpack(archive, key, incoming, sqlite.MemberKeysFile)
	if err != nil {
		return manifest, err
	}
	if issuer := config.Identity.String(); manifest.Issuer != issuer {
		return manifest, fmt.Errorf("the backup is of %s, and this platform is %s", manifest.Issuer, issuer)
	}
	for _, log := range []string{"-wal", "-shm"} { // of an empty store
		if err := os.Remove(target + log); err != nil && !errors.Is(err, os.ErrNotExist) {
			return manifest, err
		}
	}
	if err := os.Rename(filepath.Join(incoming, sqlite.MemberKeysFile), target); err != nil {
		return manifest, err
	}
	return manifest, syncFolder(config.Folder)
}

// holdsMemberKeys reports whether the folder has a store of member keys that was ever
// used. A start that found none may have left an empty one.
func holdsMemberKeys(ctx context.Context, config Config) (bool, error) {
	if _, err := os.Lstat(filepath.Join(config.Folder, sqlite.MemberKeysFile)); errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	db, err := sqlite.OpenMemberKeys(ctx, config.Folder, config.World, config.Log)
	if err != nil {
		return false, err
	}
	roots, err := sqlite.NewMemberKeys(db).Roots(ctx)
	return len(roots) > 0, errors.Join(err, db.Close())
}

// copies is admin.Backups.
type copies struct{ p *Platform }

// Backup writes a backup and says what is in it.
func (c copies) Backup(ctx context.Context, w io.Writer) (admin.Backup, error) {
	manifest, report, err := c.p.Backup(ctx, w)
	made := admin.Backup{MadeAt: manifest.MadeAt, Epoch: manifest.Epoch.Number, Records: report.Records}
	for _, file := range manifest.Files {
		made.Bytes += file.Size
	}
	return made, err
}

// BackupMemberKeys writes a backup of the store of member keys and says what is in it.
func (c copies) BackupMemberKeys(ctx context.Context, w io.Writer) (admin.Backup, error) {
	manifest, err := c.p.BackupMemberKeys(ctx, w)
	made := admin.Backup{MadeAt: manifest.MadeAt}
	for _, file := range manifest.Files {
		made.Bytes += file.Size
	}
	return made, err
}
