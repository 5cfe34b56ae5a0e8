package platform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store/postgres"
	"github.com/loop-health/loop/internal/store/sqlite"
)

// CheckMaster says whether the master key opens what is there, without changing it: a
// platform that is new has nothing to open. On SQLite no process may run from the folder.
func CheckMaster(ctx context.Context, config Config) (isNew bool, err error) {
	log := slog.New(slog.DiscardHandler)
	if config.Database != "" {
		db, err := postgres.Open(ctx, postgres.MemberKeys, postgres.Config{URL: config.Database, Direct: config.DatabaseDirect, Connections: 1, World: config.World, Log: log})
		if err != nil {
			return false, err
		}
		keys, err := credential.OpenMemberKeys(ctx, postgres.NewMemberKeys(db), config.World, config.Master)
		return err == nil && keys.IsNew(), errors.Join(err, db.Close())
	}
	copied, err := copyMemberKeys(config.Folder)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	defer os.RemoveAll(copied) //nolint:errcheck // a folder of the system's for what passes
	if err != nil {
		return false, fmt.Errorf("the store of member keys can't be read: %w", err)
	}
	db, err := sqlite.OpenMemberKeys(ctx, copied, config.World, log)
	if err != nil {
		return false, err
	}
	keys, err := credential.OpenMemberKeys(ctx, sqlite.NewMemberKeys(db), config.World, config.Master)
	return err == nil && keys.IsNew(), errors.Join(err, db.Close())
}

// copyMemberKeys copies the store of member keys, and what is still in its log, to a folder
// of its own: to open a database of SQLite is to write to it.
func copyMemberKeys(folder string) (copied string, err error) {
	if _, err := os.Stat(filepath.Join(folder, sqlite.MemberKeysFile)); err != nil {
		return "", err
	}
	if copied, err = os.MkdirTemp("", "loop-check-"); err != nil {
		return "", err
	}
	for _, name := range []string{sqlite.MemberKeysFile, sqlite.MemberKeysFile + "-wal"} {
		if err := copyFile(filepath.Join(folder, name), filepath.Join(copied, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return copied, err
		}
	}
	return copied, nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from) //nolint:gosec // G304: in the platform's folder
	if err != nil {
		return err
	}
	defer in.Close()                                                      //nolint:errcheck // read only
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600) //nolint:gosec // G304: in a folder that was just made
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// CheckClock says whether the newest checkpoint of a folder is ahead of the clock, as a
// start would find.
func CheckClock(folder string, w loop.World) error {
	lines, err := audit.ReadCheckpointLines((&Platform{config: Config{Folder: folder}}).checkpointsPath())
	if err != nil || len(lines) == 0 {
		return err
	}
	var newest struct {
		Checkpoint struct {
			At time.Time `json:"at"`
		} `json:"checkpoint"`
	}
	if err := json.Unmarshal(lines[len(lines)-1], &newest); err != nil {
		return fmt.Errorf("the newest checkpoint of the audit record can't be read: %w", err)
	}
	if ahead := newest.Checkpoint.At.Sub(w.Now()); ahead > loop.ClockTolerance {
		return aheadOfClock(ahead)
	}
	return nil
}
