package platform

import (
	"context"

	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store/postgres"
)

func (p *Platform) chooseEngine() engine {
	if p.config.Database == "" {
		return &sqliteEngine{folder: p.config.Folder, world: p.world, log: p.config.Log}
	}
	return &postgresEngine{world: p.world, config: postgres.Config{
		URL: p.config.Database, Direct: p.config.DatabaseDirect, Connections: p.config.Connections, World: p.world, Log: p.config.Log,
	}}
}

// openState opens what the role needs.
func (p *Platform) openState(ctx context.Context) error {
	p.revocations = oauth.NewRevocations()
	st, err := p.engine.open(ctx, p.config.Role, p.revocations)
	p.databases = st.databases
	for _, db := range p.databases {
		if p.config.Metrics != nil {
			db.OnCommit(p.config.Metrics.Commits(db.name))
		}
	}
	p.shared, p.store, p.results, p.clientMemory, p.tries = st.shared, st.identity, st.clinical, st.clients, st.tries
	return err
}
