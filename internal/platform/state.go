package platform

import (
	"cmp"
	"context"
	"errors"

	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store/postgres"
)

func (p *Platform) chooseEngine() engine {
	if p.config.Database == "" {
		return &sqliteEngine{folder: p.config.Folder, keysFolder: cmp.Or(p.config.KeysFolder, p.config.Folder), master: p.config.Master, world: p.world, log: p.config.Log}
	}
	data := postgres.Config{
		URL: p.config.Database, Direct: p.config.DatabaseDirect, Connections: p.config.Connections, World: p.world, Log: p.config.Log, Wait: p.config.DatabaseWait,
	}
	keys := data
	if p.config.KeysDatabase != "" {
		keys.URL, keys.Direct = p.config.KeysDatabase, ""
	}
	return &postgresEngine{world: p.world, config: data, keys: keys, master: p.config.Master}
}

// openState opens what the role needs.
func (p *Platform) openState(ctx context.Context) error {
	p.revocations = oauth.NewRevocations()
	st, err := p.engine.open(ctx, p.config.Role, p.revocations)
	p.databases, p.memberKeys, p.closeKeys = st.databases, st.memberKeys, st.closeKeys
	for _, db := range p.databases {
		if p.config.Metrics != nil {
			db.OnCommit(p.config.Metrics.Commits(db.name))
		}
	}
	p.shared, p.store, p.results, p.clientMemory, p.tries = st.shared, st.identity, st.clinical, st.clients, st.tries
	if err != nil {
		return err
	}
	return p.beginMemberKeys(ctx)
}

// beginMemberKeys begins a store of member keys that is new. Where something is sealed
// already, it is not new but lost: nothing of that could be read with it.
func (p *Platform) beginMemberKeys(ctx context.Context) error {
	if p.memberKeys.IsNew() {
		var rooms []sealed
		if p.store != nil {
			rooms = append(rooms, p.store)
		}
		if p.results != nil {
			rooms = append(rooms, p.results)
		}
		for _, room := range rooms {
			if lost, err := room.HoldsSealed(ctx); err != nil || lost {
				return cmp.Or(err, errKeysLost)
			}
		}
	}
	return p.memberKeys.Begin(ctx)
}

// errKeysLost says what to do without the store of member keys.
var errKeysLost = errors.New("the store of member keys is empty, and what is kept of members is sealed under its keys: put it back from its own backup first (loop restore --member-keys FILE; on PostgreSQL the schema memberkeys)")
