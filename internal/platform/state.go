package platform

import (
	"cmp"
	"context"

	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store/postgres"
)

func (p *Platform) chooseEngine() engine {
	if p.config.Database == "" {
		return &sqliteEngine{folder: p.config.Folder, keysFolder: cmp.Or(p.config.KeysFolder, p.config.Folder), master: p.config.Master, world: p.world, log: p.config.Log}
	}
	data := postgres.Config{
		URL: p.config.Database, Direct: p.config.DatabaseDirect, Connections: p.config.Connections, World: p.world, Log: p.config.Log,
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
	return err
}
