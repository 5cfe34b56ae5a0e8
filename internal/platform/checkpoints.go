package platform

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
)

// checkpointsFile is where the checkpoints of the audit chain are, in the folder;
// unreadablePattern are those that a new epoch has put aside.
const (
	checkpointsFile   = "audit-checkpoints.jsonl"
	unreadablePattern = "audit-checkpoints-unreadable-*"
)

func (p *Platform) checkpointsPath() string { return filepath.Join(p.config.Folder, checkpointsFile) }

// startCheckpoints goes on from the newest checkpoint, which says how far the state
// had come. Without it nobody could see that the database was set back: a start
// that misses one is refused.
func (p *Platform) startCheckpoints(ctx context.Context) error {
	err := p.openCheckpoints(ctx)
	if errors.Is(err, audit.ErrCheckpointUnreadable) && p.config.SetBack {
		if err = p.setCheckpointsAside(); err == nil {
			err = p.openCheckpoints(ctx)
		}
	}
	if errors.Is(err, audit.ErrCheckpointUnreadable) {
		return p.refuseWithoutCheckpoint(err.Error())
	}
	if err == nil {
		err = p.refuseMissingCheckpoint(ctx)
	}
	if err == nil {
		err = p.refuseSetBack(ctx)
	}
	if err == nil && p.checkpoints.Empty() {
		err = p.checkpoints.Make(ctx) // from now on, a record that no checkpoint covers means tampering
	}
	return err
}

func (p *Platform) openCheckpoints(ctx context.Context) (err error) {
	lanes := make([]audit.Lanes, len(p.databases))
	for i, db := range p.databases {
		lanes[i] = db
	}
	p.checkpoints, err = audit.NewCheckpointer(ctx, p.keys, p.world, p.config.Log, p.checkpointsPath(), p.revocations.Epoch, lanes...)
	return err
}

// refuseMissingCheckpoint refuses a folder without checkpoints whose database has
// more records than a first start makes before its checkpoint. A shared database
// may have a folder that is new to it.
func (p *Platform) refuseMissingCheckpoint(ctx context.Context) error {
	if p.config.Database != "" || p.config.SetBack || !p.checkpoints.Empty() {
		return nil
	}
	records, _, err := p.checkpoints.Behind(ctx)
	if err != nil || records <= int64(len(credential.Slots())) {
		return err
	}
	return p.refuseWithoutCheckpoint("there are no audit checkpoints")
}

func (p *Platform) refuseWithoutCheckpoint(what string) error {
	return fmt.Errorf("%s in %s: without them nobody can know whether the database was set back, and what was revoked since would be good again. Put the file back from a copy (the log has each line, as \"audit checkpoint\"); where there is none, run: loop restore --as-it-is", what, p.checkpointsPath())
}

// setCheckpointsAside keeps a file whose newest line can't be read under another
// name, for whoever looks into what happened.
func (p *Platform) setCheckpointsAside() error {
	aside := unreadablePattern[:len(unreadablePattern)-1] + time.Now().UTC().Format(asideTime) + ".jsonl"
	return os.Rename(p.checkpointsPath(), filepath.Join(p.config.Folder, aside))
}

// MakeCheckpoint makes a checkpoint of the audit record now, if anything is new.
// The platform does it by itself, each minute and each thousand records.
func (p *Platform) MakeCheckpoint(ctx context.Context) error { return p.checkpoints.Make(ctx) }
