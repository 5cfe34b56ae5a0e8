package platform

import (
	"bytes"
	"context"
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
