package platform

import (
	"context"
	"errors"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store/postgres"
	"github.com/loop-health/loop/internal/telemetry"
)

// postgresEngine keeps the state in a PostgreSQL database, for any number of
// processes.
type postgresEngine struct {
	config    postgres.Config
	keys      postgres.Config // of the store of member keys
	master    *credential.Master
	world     *loop.Clock
	commons   *postgres.Commons
	databases []*postgres.Database // that were opened
	presence  *postgres.Presence
}

func (e *postgresEngine) begin(ctx context.Context) (ended func(), err error) {
	return postgres.Exclusively(ctx, e.config)
}

func (e *postgresEngine) open(ctx context.Context, role Role, revocations *oauth.Revocations) (st state, err error) {
	load := postgres.Load{Schemas: 1, MemberKeys: e.keys.URL == e.config.URL}
	if role.keepsIdentity() && role.keepsClinical() {
		load.Schemas = 2
	}
	if e.config, err = postgres.Fit(ctx, e.config, load); err != nil {
		return st, err
	}
	if err := e.openMemberKeys(ctx, &st); err != nil {
		return st, err
	}
	if role.keepsIdentity() {
		db, err := e.openSchema(ctx, postgres.Identity, &st)
		if err != nil {
			return st, err
		}
		identity := postgres.NewIdentity(db, st.memberKeys, revocations)
		e.commons, st.identity, st.tries = identity.Commons, identity, identity
	}
	if role.keepsClinical() {
		db, err := e.openSchema(ctx, postgres.Clinical, &st)
		if err != nil {
			return st, err
		}
		st.clinical = postgres.NewClinical(db, st.memberKeys)
		if e.commons == nil {
			e.commons = postgres.NewCommons(db, revocations)
			st.clients = e.commons
		}
	}
	st.shared = e.commons
	return st, nil
}

// openMemberKeys opens the store of member keys, by as few connections as will do.
func (e *postgresEngine) openMemberKeys(ctx context.Context, st *state) error {
	e.keys.Connections = postgres.KeyConnections(e.config.Connections)
	db, err := postgres.Open(ctx, postgres.MemberKeys, e.keys)
	if err != nil {
		return err
	}
	st.closeKeys = db.Close
	st.memberKeys, err = credential.OpenMemberKeys(ctx, postgres.NewMemberKeys(db), e.world, e.master)
	return err
}

// openSchema opens a schema, which is called as its room is.
func (e *postgresEngine) openSchema(ctx context.Context, schema postgres.Schema, st *state) (*postgres.Database, error) {
	db, err := postgres.Open(ctx, schema, e.config)
	if err != nil {
		return nil, err
	}
	e.databases = append(e.databases, db)
	st.databases = append(st.databases, named{db, string(schema)})
	return db, nil
}

func (e *postgresEngine) join(ctx context.Context, reload func(context.Context) error) (err error) {
	e.presence, err = e.commons.Serve(ctx, e.world, reload, e.databases...)
	return err
}

func (e *postgresEngine) live() bool             { return e.presence.Live() }
func (e *postgresEngine) leads(room string) bool { return e.presence.Leads(postgres.Schema(room)) }

func (e *postgresEngine) leave() {
	if e.presence != nil {
		e.presence.Leave()
	}
}

func (e *postgresEngine) checks() []telemetry.Check {
	return []telemetry.Check{{Name: "lease", Run: func(context.Context) error {
		if !e.live() {
			return errors.New("it has run out: what other servers have revoked since is not known, and nothing is served")
		}
		return nil
	}}}
}

func (e *postgresEngine) intact(ctx context.Context) error {
	err := postgres.CheckObjects(ctx, e.config)
	if e.keys.URL != e.config.URL {
		err = errors.Join(err, postgres.CheckObjects(ctx, e.keys))
	}
	return err
}

// errOwnBackup says how a PostgreSQL database is backed up and restored.
var errOwnBackup = errors.New("the data is in PostgreSQL, which has better means of its own: back it up with pg_dump or a base backup and its log, put that back, and run loop restore --as-it-is (docs/operating.md)")

// errOwnKeysBackup says how the store of member keys is backed up.
var errOwnKeysBackup = errors.New("the member keys are in PostgreSQL: back them up with pg_dump --schema=memberkeys, apart from the data, and keep no backup of them for longer than a week (docs/operating.md)")

func (e *postgresEngine) copyKeysTo(context.Context, string) error { return errOwnKeysBackup }

func (e *postgresEngine) copyTo(context.Context, string) error { return errOwnBackup }
