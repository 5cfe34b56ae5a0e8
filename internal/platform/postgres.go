package platform

import (
	"context"
	"errors"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/operation"
	"github.com/loop-health/loop/internal/store/postgres"
)

// postgresEngine keeps the state in a PostgreSQL database, for any number of
// processes.
type postgresEngine struct {
	config   postgres.Config
	world    *loop.Clock
	identity *postgres.IdentityStore
	presence *postgres.Presence
}

func (e *postgresEngine) begin(ctx context.Context) (ended func(), err error) {
	return postgres.Exclusively(ctx, e.config)
}

func (e *postgresEngine) openIdentity(ctx context.Context, revocations *oauth.Revocations) (identityStore, database, error) {
	db, err := postgres.Open(ctx, postgres.Identity, e.config)
	if err != nil {
		return nil, nil, err
	}
	e.identity = postgres.NewIdentity(db, revocations)
	return e.identity, db, nil
}

func (e *postgresEngine) openClinical(ctx context.Context) (clinicalStore, database, error) {
	db, err := postgres.Open(ctx, postgres.Clinical, e.config)
	if err != nil {
		return nil, nil, err
	}
	return postgres.NewClinical(db), db, nil
}

func (e *postgresEngine) join(ctx context.Context, reload func(context.Context) error) (err error) {
	e.presence, err = e.identity.Serve(ctx, e.world, reload)
	return err
}

func (e *postgresEngine) live() bool  { return e.presence.Live() }
func (e *postgresEngine) leads() bool { return e.presence.Leads() }

func (e *postgresEngine) leave() {
	if e.presence != nil {
		e.presence.Leave()
	}
}

func (e *postgresEngine) checks() []operation.Check {
	return []operation.Check{{Name: "lease", Run: func(context.Context) error {
		if !e.live() {
			return errors.New("it has run out: what other servers have revoked since is not known, and nothing is served")
		}
		return nil
	}}}
}

// errOwnBackup says how a PostgreSQL database is backed up and restored.
var errOwnBackup = errors.New("the data is in PostgreSQL, which has better means of its own: back it up with pg_dump or a base backup and its log, put that back, and run loop restore --as-it-is (docs/operating.md)")

func (e *postgresEngine) copyTo(context.Context, string) error { return errOwnBackup }
func (e *postgresEngine) check(context.Context) error          { return errOwnBackup }
