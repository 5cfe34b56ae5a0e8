package platform

import (
	"context"
	"errors"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
)

// openKeys opens the keys, takes up the audit chain, which is made with one of them,
// and makes the process one of those that serve; only then are keys made.
func (p *Platform) openKeys(ctx context.Context) error {
	var keys credential.KeyStore = keysOfIdentity{p.shared}
	if p.store != nil {
		keys = p.store
	}
	var err error
	if p.secrets, err = credential.OpenKeeper(ctx, keys, p.world, p.config.Master); err != nil {
		return err
	}
	ring := p.secrets.Ring
	p.keys = audit.NewKeys(ring.Derive(credential.ForAudit, "chain"), ring.Derive(credential.ForAudit, "checkpoints"))
	for _, db := range p.databases {
		newest, err := db.StartAudit(ctx, db.name, p.keys)
		if err != nil {
			return err
		}
		p.world.Stored(newest)
	}
	if err := p.engine.join(ctx, p.readKeys); err != nil {
		return err
	}
	if err := p.refuseClockBehind(ctx); err != nil {
		return err
	}
	return p.secrets.Begin(ctx)
}

// keysOfIdentity are the keys for a role that reads them and no more.
type keysOfIdentity struct{ sharedStore }

// ChangeKeys refuses (credential.KeyStore).
func (keysOfIdentity) ChangeKeys(context.Context, credential.KeyChange, []audit.Record) error {
	return errors.New("keys are made by identity, and some are missing: start a server with the role identity or all first")
}

// lookAfterKeys rotates the keys where that is this process's to do, and else reads
// what others have made of them.
func (p *Platform) lookAfterKeys(ctx context.Context) error {
	if p.engine.leads(identityRoom) {
		return p.RotateKeys(ctx)
	}
	return p.readKeys(ctx)
}

// RotateKeys does what the schedule of the keys asks for. The platform does it by
// itself, every minute.
func (p *Platform) RotateKeys(ctx context.Context) error {
	if err := p.secrets.Rotate(ctx); err != nil {
		return err
	}
	p.keysReadAt.Store(time.Now().UnixNano())
	return p.setPortalSecrets(ctx)
}

// readKeys takes up what other processes have changed.
func (p *Platform) readKeys(ctx context.Context) error {
	err := p.secrets.Reload(ctx)
	if err == nil {
		p.keysReadAt.Store(time.Now().UnixNano())
	}
	return err
}
