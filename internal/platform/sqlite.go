package platform

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/store/sqlite"
	"github.com/loop-health/loop/internal/telemetry"
)

// sqliteEngine keeps the state in two files of a folder, whose lock the caller
// holds: there is no other process.
type sqliteEngine struct {
	folder     string
	keysFolder string // of the store of member keys
	master     *credential.Master
	world      *loop.Clock
	log        *slog.Logger

	state *sqlite.Folder   // nil before open
	keys  *sqlite.Database // the store of member keys; nil before open
}

func (e *sqliteEngine) open(ctx context.Context, role Role, revocations *oauth.Revocations) (st state, err error) {
	if !role.isAll() {
		return st, fmt.Errorf("role %s: on SQLite one process serves all: name a PostgreSQL database to divide it", role)
	}
	keys, err := sqlite.OpenMemberKeys(ctx, e.keysFolder, e.world, e.log)
	if err != nil {
		return st, err
	}
	e.keys, st.closeKeys = keys, keys.Close
	if st.memberKeys, err = credential.OpenMemberKeys(ctx, sqlite.NewMemberKeys(keys), e.world, e.master); err != nil {
		return st, err
	}
	if e.state, err = sqlite.OpenFolder(ctx, e.folder, e.world, e.log); err != nil {
		return st, err
	}
	st.databases = []named{{e.state.Identity, identityRoom}, {e.state.Clinical, clinicalRoom}}
	identity, err := sqlite.NewIdentity(ctx, e.state.Identity, e.world, st.memberKeys, revocations)
	if err != nil {
		return st, err
	}
	st.shared, st.identity, st.clinical = identity, identity, sqlite.NewClinical(e.state.Clinical, st.memberKeys)
	st.tries = signin.NewMemory(e.world, signin.MemoryRoom) // no other process serves from the folder
	return st, nil
}

func (*sqliteEngine) begin(context.Context) (ended func(), err error)         { return func() {}, nil }
func (*sqliteEngine) join(context.Context, func(context.Context) error) error { return nil }
func (*sqliteEngine) live() bool                                              { return true }
func (*sqliteEngine) leads(string) bool                                       { return true }
func (*sqliteEngine) leave()                                                  {}
func (*sqliteEngine) checks() []telemetry.Check                               { return nil }

func (e *sqliteEngine) intact(ctx context.Context) error { return e.state.Check(ctx) }

func (e *sqliteEngine) copyKeysTo(ctx context.Context, folder string) error {
	return e.keys.CopyTo(ctx, filepath.Join(folder, sqlite.MemberKeysFile))
}

func (e *sqliteEngine) copyTo(ctx context.Context, folder string) error {
	return e.state.CopyTo(ctx, folder)
}
