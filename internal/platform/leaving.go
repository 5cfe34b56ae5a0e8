package platform

import (
	"context"
	"errors"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/outbox"
)

// buildLeaving builds what erases members who left: identity destroys their keys, and
// each room forgets them.
func (p *Platform) buildLeaving() {
	if p.store != nil {
		p.eraser = &member.Eraser{Accounts: p.Accounts, Leaving: p.store, Keys: p.memberKeys, Revocation: func(id loop.MemberID) loop.Revocation {
			return oauth.NewRevocation(p.world, loop.RevokeMember, string(id))
		}, Messages: p.erasureMessages}
	}
	for _, db := range p.databases {
		var room member.Room = p.results
		if db.name == identityRoom {
			room = p.store
		}
		p.forgetters = append(p.forgetters, &member.Forgetter{Keys: p.memberKeys, Room: room, World: p.world})
	}
}

// erasureMessages are those to the apps that a member allows, for when they are erased.
func (p *Platform) erasureMessages(ctx context.Context, id loop.MemberID) ([]outbox.Message, error) {
	grants, err := p.store.Grants(ctx, id)
	if err != nil {
		return nil, err
	}
	var messages []outbox.Message
	for _, grant := range grants {
		if !grant.Live(p.world.Now()) {
			continue
		}
		client, err := p.store.Client(ctx, grant.Client)
		if err != nil {
			return nil, err
		}
		messages = append(messages, p.events.OfErasure(client, grant)...)
	}
	return messages, nil
}

// EraseLeft erases the members whose time to come back is over. The platform does it by
// itself, every minute, and at its start for all who ever left: the state may have been
// restored from a moment when they were there.
func (p *Platform) EraseLeft(ctx context.Context) error {
	return p.erase(ctx, func(string) bool { return true })
}

// eraseWhereLeading is EraseLeft for the rooms whose work this process leads.
func (p *Platform) eraseWhereLeading(ctx context.Context) error {
	return p.erase(ctx, p.engine.leads)
}

func (p *Platform) erase(ctx context.Context, leads func(room string) bool) error {
	p.forgetting.Lock()
	defer p.forgetting.Unlock()
	var faults []error
	if p.eraser != nil && leads(identityRoom) {
		faults = append(faults, p.eraser.EraseLeft(ctx))
	}
	for i, forgetter := range p.forgetters {
		if leads(p.databases[i].name) {
			faults = append(faults, forgetter.Forget(ctx))
		}
	}
	return errors.Join(faults...)
}
