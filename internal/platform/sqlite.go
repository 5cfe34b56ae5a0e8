package platform

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/operation"
	"github.com/loop-health/loop/internal/store/sqlite"
)

// The files of a state folder on SQLite.
const (
	identityFile = "identity.db"
	clinicalFile = "clinical.db"
)

// sqliteEngine keeps the state in two files of a folder, whose lock the caller
// holds: there is no other process.
type sqliteEngine struct {
	folder string
	world  *loop.Clock
	log    *slog.Logger

	identity, clinical *sqlite.Database
}

func (e *sqliteEngine) open(ctx context.Context, role Role, revocations *oauth.Revocations) (st state, err error) {
	if !role.isAll() {
		return st, fmt.Errorf("role %s: on SQLite one process serves all: name a PostgreSQL database to divide it", role)
	}
	e.identity, err = sqlite.Open(ctx, filepath.Join(e.folder, identityFile), sqlite.IdentitySchema(), e.world, e.log)
	if err != nil {
		return st, err
	}
	st.databases = append(st.databases, named{e.identity, identityRoom})
	identity, err := sqlite.NewIdentity(ctx, e.identity, e.world, revocations)
	if err != nil {
		return st, err
	}
	st.shared, st.identity = identity, identity
	e.clinical, err = sqlite.Open(ctx, filepath.Join(e.folder, clinicalFile), sqlite.ClinicalSchema(), e.world, e.log)
	if err != nil {
		return st, err
	}
	st.databases = append(st.databases, named{e.clinical, clinicalRoom})
	st.clinical = sqlite.NewClinical(e.clinical)
	return st, nil
}

func (*sqliteEngine) begin(context.Context) (ended func(), err error)         { return func() {}, nil }
func (*sqliteEngine) join(context.Context, func(context.Context) error) error { return nil }
func (*sqliteEngine) live() bool                                              { return true }
func (*sqliteEngine) leads(string) bool                                       { return true }
func (*sqliteEngine) leave()                                                  {}
func (*sqliteEngine) checks() []operation.Check                               { return nil }

// copyTo copies identity last, so that whom clinical speaks of is there.
func (e *sqliteEngine) copyTo(ctx context.Context, folder string) error {
	if err := e.clinical.CopyTo(ctx, filepath.Join(folder, clinicalFile)); err != nil {
		return err
	}
	return e.identity.CopyTo(ctx, filepath.Join(folder, identityFile))
}

func (e *sqliteEngine) check(ctx context.Context) error {
	return errors.Join(e.clinical.Check(ctx), e.identity.Check(ctx))
}
