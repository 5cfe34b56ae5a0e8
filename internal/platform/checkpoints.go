package platform

import (
	"context"
	"path/filepath"

	"github.com/loop-health/loop/internal/audit"
)

// checkpointsFile is where the checkpoints of the audit chain are, in the folder.
const checkpointsFile = "audit-checkpoints.jsonl"

func (p *Platform) startCheckpoints(ctx context.Context) error {
	lanes := make([]audit.Lanes, len(p.databases))
	for i, db := range p.databases {
		lanes[i] = db
	}
	var err error
	p.checkpoints, err = audit.NewCheckpointer(ctx, p.keys, p.world, p.config.Log, p.checkpointsPath(), p.revocations.Epoch, lanes...)
	if err == nil {
		err = p.refuseSetBack(ctx)
	}
	if err == nil && p.isFirstStart() {
		err = p.checkpoints.Make(ctx) // from then on, a record without a checkpoint is a record that was robbed of it
	}
	return err
}

// isFirstStart reports whether nothing can have been attested here before: there is
// no state yet, or it is shared and this folder is new to it.
func (p *Platform) isFirstStart() bool {
	return p.secrets.New() || p.config.Database != "" && p.checkpoints.Empty()
}

func (p *Platform) checkpointsPath() string { return filepath.Join(p.config.Folder, checkpointsFile) }
