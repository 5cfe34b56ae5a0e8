package platform

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/loop-health/loop/internal/admin"
	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
)

// Commands runs administrative commands on this platform.
func (p *Platform) Commands(newPassword func() string) admin.Commands {
	if p.store == nil {
		return admin.NewCommands(admin.Operations{
			Audit:       chain{p},
			Imports:     p.imports(),
			Unavailable: errors.New("this server's role is clinical: give the command where a server with the role identity, developers or all has its folder; what can be done here is loop import, and loop audit verify and loop audit tail, of clinical's record"),
		})
	}
	operations := p.operations()
	operations.NewPassword = newPassword
	return admin.NewCommands(operations)
}

// operations are what operators do, on the command line and in the console.
func (p *Platform) operations() admin.Operations {
	return admin.Operations{
		Clients: p.Clients, Users: users{p.Accounts, p}, Sessions: p.SignIns, Team: p.team(), Grants: grants{p.OAuth}, Keys: keys{p.secrets, p}, Store: p.store, Audit: chain{p}, Backups: copies{p}, Imports: p.imports(),
		Deliveries: p.deliveries, WebhookSecret: p.webhookSecrets.Of, Now: p.world.Now,
	}
}

// imports is admin.Imports; nil where the role does not work on results.
func (p *Platform) imports() admin.Imports {
	if p.Imports == nil {
		return nil
	}
	return p.Imports
}

// grants is admin.Grants.
type grants struct{ oauth *oauth.Server }

// RevokeGrant ends a grant on behalf of an operator.
func (g grants) RevokeGrant(ctx context.Context, id loop.GrantID, by audit.Actor) error {
	return g.oauth.RevokeGrant(ctx, id, by, "revoked by an operator")
}

// keys is admin.Keys. The portal's secret follows the keys.
type keys struct {
	*credential.Keeper
	p *Platform
}

// RotateNow makes successors for the slots.
func (k keys) RotateNow(ctx context.Context, slots []credential.Slot, by audit.Actor) ([]credential.KeyLife, error) {
	made, err := k.Keeper.RotateNow(ctx, slots, by)
	if err == nil {
		err = k.p.setPortalSecrets(ctx)
	}
	return made, err
}

// Revoke ends keys and all that they made.
func (k keys) Revoke(ctx context.Context, ids []uint32, by audit.Actor) (revoked, made []credential.KeyLife, err error) {
	revoked, made, err = k.Keeper.Revoke(ctx, ids, by)
	if err == nil {
		err = k.p.setPortalSecrets(ctx)
	}
	return revoked, made, err
}

// Rewrap seals all keys under a new master key. The store of member keys is another
// one: for the time between, both master keys open it, so that a start at any moment
// finds what opens all.
func (k keys) Rewrap(ctx context.Context, master *credential.Master, by audit.Actor) (count int, err error) {
	if err := k.p.memberKeys.AddMaster(ctx, master); err != nil {
		return 0, err
	}
	if count, err = k.Keeper.Rewrap(ctx, master, by); err != nil {
		return count, err
	}
	return count, k.p.memberKeys.KeepNewestMaster(ctx)
}

// chain is admin.Audit.
type chain struct{ p *Platform }

// Verify reads all records and checkpoints, with those that the operator brings.
func (c chain) Verify(ctx context.Context, brought io.Reader) (admin.Verification, error) {
	lines, err := audit.ReadCheckpointLines(c.p.checkpointsPath())
	if err != nil {
		return admin.Verification{}, err
	}
	copied, err := readLines(brought)
	if err != nil {
		return admin.Verification{}, err
	}
	databases := make([]audit.Records, len(c.p.databases))
	for i, database := range c.p.databases {
		databases[i] = database
	}
	report, fault := audit.Verify(ctx, c.p.keys, lines, databases...)
	found := admin.Verification{Records: report.Records, Checkpoints: int64(report.Checkpoints)}
	if fault != nil {
		found.Faults = append(found.Faults, fault.Error())
	}
	if fault := checkCopy(lines, copied); fault != nil {
		found.Faults = append(found.Faults, fault.Error())
	}
	return found, nil
}

// checkCopy holds the server's checkpoints against a copy that was kept
// elsewhere: none of it may be missing or different.
func checkCopy(kept, copied [][]byte) error {
	for i, line := range copied {
		if i >= len(kept) || !bytes.Equal(kept[i], line) {
			return fmt.Errorf("checkpoint %d of the copy is not the one in the folder: checkpoints were removed or changed", i+1)
		}
	}
	return nil
}

func readLines(r io.Reader) ([][]byte, error) {
	var lines [][]byte
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		lines = append(lines, bytes.Clone(scanner.Bytes()))
	}
	return lines, scanner.Err()
}
