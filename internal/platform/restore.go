package platform

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/backup"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store/sqlite"
)

// Files and folders of a restore, in the platform's folder.
const (
	incomingFolder = "restore-incoming"     // where a backup is unpacked, checked and made ready
	unfinishedFile = "restore-unfinished"   // is there while files are moved
	asidePattern   = "before-restore-*"     // what was there before
	asideTime      = "20060102T150405.000Z" // of one restore
)

// Restored says what a restore came to.
type Restored struct {
	Manifest backup.Manifest `json:"backup"`
	Records  int64           `json:"records"` // of the audit, all verified
	Epoch    loop.Epoch      `json:"epoch"`   // that begins
	Ended    oauth.Ended     `json:"ended"`
	Aside    string          `json:"aside,omitempty"` // the folder with what was there before; empty: nothing was
}

// refuseUnfinished refuses a folder in which a restore was cut off: its files are
// of two moments.
func (p *Platform) refuseUnfinished(context.Context) error {
	if _, err := os.Stat(filepath.Join(p.config.Folder, unfinishedFile)); err == nil {
		return fmt.Errorf("a restore of %s was cut off, and its files do not belong together: run loop restore with the backup again", p.config.Folder)
	}
	return nil
}

// removeLeftovers deletes what a backup or a restore has left that was killed: a
// copy of all data, which nobody would look for. The lock says that none runs.
func (p *Platform) removeLeftovers(context.Context) error {
	var faults []error
	for _, name := range []string{snapshotFolder, incomingFolder} {
		faults = append(faults, os.RemoveAll(filepath.Join(p.config.Folder, name)))
	}
	return errors.Join(faults...)
}

// refuseSetBack refuses a state that is older than what the newest checkpoint saw
// of it: what was revoked since would be good again.
func (p *Platform) refuseSetBack(ctx context.Context) error {
	stored, err := p.shared.Epoch(ctx)
	if err != nil {
		return err
	}
	seen := p.checkpoints.Seen()
	if !stored.Before(seen) || p.config.SetBack {
		return nil
	}
	return fmt.Errorf("the database was set back: it is at revocation %d of epoch %d, and this platform was at %d of %d. What was revoked since would be good again. If it was put back on purpose, run: loop restore --as-it-is",
		stored.Counter, stored.Number, seen.Counter, seen.Number)
}

// endedKeys are the purposes whose keys a new epoch revokes: those of what is
// good without a row.
var endedKeys = map[credential.Purpose]bool{
	credential.ForAccessTokens: true, credential.ForCodes: true, credential.ForPortal: true,
	credential.ForContinuations: true, credential.ForTickets: true, credential.ForSignIn: true,
}

// BeginEpoch ends everything that was given: tokens, codes, sessions, chains and
// grants. The state may have been put back to an earlier moment, and nobody knows
// which of them had ended since. Done again, it begins yet another.
func (p *Platform) BeginEpoch(ctx context.Context, seen loop.Epoch, by audit.Actor) (loop.Epoch, oauth.Ended, error) {
	lives, err := p.secrets.Lives(ctx)
	if err != nil {
		return loop.Epoch{}, oauth.Ended{}, err
	}
	var ids []uint32
	for _, life := range lives {
		if endedKeys[life.Purpose] {
			ids = append(ids, life.ID)
		}
	}
	if _, _, err := (keys{p.secrets, p}).Revoke(ctx, ids, by); err != nil {
		return loop.Epoch{}, oauth.Ended{}, err
	}
	epoch, ended, err := oauth.BeginEpoch(ctx, p.store, p.world.Now(), seen, by)
	if err != nil {
		return epoch, ended, err
	}
	return epoch, ended, p.checkpoints.Make(ctx)
}

// RestoreAsItIs begins a new epoch on a state that somebody put back by other
// means: a copy of the files, a database's own backup. One that holds a trigger or
// the like, which no migration has made, is an error, and stays as it is.
func RestoreAsItIs(ctx context.Context, config Config, by audit.Actor) (_ Restored, err error) {
	config.SetBack = true
	p, err := Open(ctx, config)
	if err != nil {
		return Restored{}, err
	}
	defer func() { err = errors.Join(err, p.Close(ctx)) }()
	if p.store == nil {
		return Restored{}, errors.New("the role clinical can't end what identity gave: run it with the role identity or all")
	}
	if err := p.engine.intact(ctx); err != nil {
		return Restored{}, fmt.Errorf("the state that was put back is not as loop made it: %w", err)
	}
	var done Restored
	done.Epoch, done.Ended, err = p.BeginEpoch(ctx, newestSeen(config.Folder, p.keys), by)
	return done, err
}

// Restore puts a backup in place of the state in the folder, whose lock the
// caller holds. The backup is unpacked beside it, verified as it was when it was
// made, and brought into a new epoch; only then are the files exchanged. What was
// there before is moved aside. An error before the exchange changes nothing; a
// crash within it leaves a folder that no platform opens until a restore is done.
func Restore(ctx context.Context, config Config, archive io.Reader, by audit.Actor) (Restored, error) {
	if config.Database != "" {
		return Restored{}, errOwnBackup
	}
	incoming := filepath.Join(config.Folder, incomingFolder)
	if err := makeAnew(incoming); err != nil {
		return Restored{}, err
	}
	defer os.RemoveAll(incoming) //nolint:errcheck // the next restore tries again
	done, err := prepare(ctx, config, archive, incoming, by)
	if err != nil {
		return done, err
	}
	done.Aside, err = exchange(config.Folder, incoming)
	return done, err
}

// prepare unpacks a backup and makes it the beginning of a new epoch.
func prepare(ctx context.Context, config Config, archive io.Reader, incoming string, by audit.Actor) (done Restored, err error) {
	live := config.Folder
	key, err := config.Master.BackupKey()
	if err != nil {
		return done, err
	}
	if done.Manifest, err = backup.Unpack(archive, key, incoming, backupFiles...); err != nil {
		return done, err
	}
	if issuer := config.Identity.String(); done.Manifest.Issuer != issuer {
		return done, fmt.Errorf("the backup is of %s, and this platform is %s: its tokens would be another's", done.Manifest.Issuer, issuer)
	}
	if err := checkIncoming(ctx, incoming); err != nil {
		return done, err
	}
	config.Folder, config.KeysFolder = incoming, live // member keys are no part of a backup
	p, err := Open(ctx, config)
	if err != nil {
		return done, fmt.Errorf("opening the backup: %w", err)
	}
	defer func() { err = errors.Join(err, p.Close(ctx)) }()
	lines, err := audit.ReadCheckpointLines(p.checkpointsPath())
	if err != nil {
		return done, err
	}
	report, err := audit.Verify(ctx, p.keys, lines, p.databases[0], p.databases[1])
	if err != nil {
		return done, fmt.Errorf("the backup's audit record is not as it was written: %w", err)
	}
	done.Records = report.Records
	done.Epoch, done.Ended, err = p.BeginEpoch(ctx, newestSeen(live, p.keys), by)
	return done, err
}

// checkIncoming checks the databases of a backup before anything runs on them.
func checkIncoming(ctx context.Context, incoming string) error {
	databases, err := sqlite.OpenFolderCopy(incoming)
	if err != nil {
		return err
	}
	defer databases.Close() //nolint:errcheck // reading
	return databases.Check(ctx)
}

// newestSeen is how far the state in a folder had come, as its checkpoints and
// those that restores put aside say. Those of another platform say nothing.
func newestSeen(folder string, keys audit.Keys) (newest loop.Epoch) {
	paths := []string{filepath.Join(folder, checkpointsFile)}
	for _, pattern := range []string{filepath.Join(asidePattern, checkpointsFile), unreadablePattern} {
		aside, _ := filepath.Glob(filepath.Join(folder, pattern)) // the patterns are well formed
		paths = append(paths, aside...)
	}
	for _, path := range paths {
		if seen := newestReadable(path, keys); newest.Before(seen) {
			newest = seen
		}
	}
	return newest
}

// newestReadable is what the last line says that can be read; zero where none can.
func newestReadable(path string, keys audit.Keys) loop.Epoch {
	lines, _ := audit.ReadCheckpointLines(path) // one that can't be read says nothing
	for _, line := range slices.Backward(lines) {
		if checkpoint, err := keys.ParseCheckpoint(line); err == nil {
			return checkpoint.Epoch
		}
	}
	return loop.Epoch{}
}

// exchange moves the state of a folder aside, and another into its place.
func exchange(folder, incoming string) (aside string, err error) {
	unfinished := filepath.Join(folder, unfinishedFile)
	if err := os.WriteFile(unfinished, []byte("A restore is moving files. While this file is here, the platform does not start.\n"), 0o600); err != nil {
		return "", err
	}
	if err := syncFolder(folder); err != nil {
		return "", err
	}
	if aside, err = moveAside(folder); err != nil {
		return aside, err
	}
	for _, name := range backupFiles {
		if err := os.Rename(filepath.Join(incoming, name), filepath.Join(folder, name)); err != nil {
			return aside, err
		}
	}
	if err := syncFolder(folder); err != nil {
		return aside, err
	}
	if err := os.Remove(unfinished); err != nil {
		return aside, err
	}
	return aside, syncFolder(folder)
}

// moveAside moves the databases, with what SQLite keeps beside them, and the
// checkpoints into a folder of their own; empty where there is nothing to move.
func moveAside(folder string) (aside string, err error) {
	for _, name := range append(sqlite.StateFiles(), checkpointsFile) {
		from := filepath.Join(folder, name)
		if _, err := os.Lstat(from); errors.Is(err, os.ErrNotExist) {
			continue
		}
		if aside == "" {
			aside = filepath.Join(folder, asidePattern[:len(asidePattern)-1]+time.Now().UTC().Format(asideTime))
			if err := os.Mkdir(aside, 0o700); err != nil {
				return "", err
			}
		}
		if err := os.Rename(from, filepath.Join(aside, name)); err != nil {
			return aside, err
		}
	}
	return aside, nil
}

// syncFolder makes renames within a folder durable.
func syncFolder(path string) error {
	folder, err := os.Open(path) //nolint:gosec // G304: the operator's own
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
