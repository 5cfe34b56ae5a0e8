package sqlite_test

import (
	"io/fs"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/credential/credentialtest"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store/sqlite"
	"github.com/loop-health/loop/internal/store/storetest"
)

// open makes an empty database.
func open(t *testing.T, name string, schema fs.FS) (*sqlite.Database, loop.World) {
	t.Helper()
	w := loop.NewClock(loop.Machine{}) // to the microsecond, as what is stored
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), name+".db"), schema, w, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.StartAudit(t.Context(), name, audit.NewKeys([32]byte{1}, [32]byte{2})); err != nil {
		t.Fatal(err)
	}
	return db, w
}

func openIdentity(t *testing.T) (*sqlite.Identity, *sqlite.Database, loop.World) {
	t.Helper()
	db, w := open(t, "identity", sqlite.IdentitySchema())
	s, err := sqlite.NewIdentity(t.Context(), db, w, openMemberKeys(t), oauth.NewRevocations())
	if err != nil {
		t.Fatal(err)
	}
	return s, db, w
}

func openClinical(t *testing.T) (*sqlite.Clinical, *sqlite.Database, loop.World) {
	t.Helper()
	db, w := open(t, "clinical", sqlite.ClinicalSchema())
	return sqlite.NewClinical(db, openMemberKeys(t)), db, w
}

func openMemberKeys(t *testing.T) *credential.MemberKeys {
	t.Helper()
	db, w := open(t, "memberkeys", sqlite.MemberKeysSchema())
	return credentialtest.OpenMemberKeys(t, sqlite.NewMemberKeys(db), w)
}

func TestIdentity_KeepsTheContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) (storetest.Store, loop.World) {
		t.Helper()
		s, _, w := openIdentity(t)
		return s, w
	})
}

func TestStores_OfAClosedDatabaseAnswerAlike(t *testing.T) {
	t.Parallel()
	identity, first, _ := openIdentity(t)
	clinical, second, _ := openClinical(t)
	for _, db := range []*sqlite.Database{first, second} {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	storetest.Closed(t, identity, clinical)
}

func TestClinical_KeepsTheContract(t *testing.T) {
	t.Parallel()
	storetest.RunResults(t, func(t *testing.T) (storetest.ResultStore, loop.World) {
		t.Helper()
		s, _, w := openClinical(t)
		return s, w
	})
}

func TestClinical_MovesWhatOlderVersionsKept(t *testing.T) {
	t.Parallel()
	storetest.RunPlainResults(t, func(t *testing.T) (storetest.ResultStore, func() error, func(bool), loop.World) {
		t.Helper()
		s, db, w := openClinical(t)
		return s, func() error { return s.MoveResults(t.Context()) }, func(plain bool) {
			err := db.Write(t.Context(), func(tx *sqlite.Tx) error {
				_, err := tx.Count(`UPDATE result_form SET chunks = $1`, !plain)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}, w
	})
}

func TestMemberKeys_KeepTheContract(t *testing.T) {
	t.Parallel()
	storetest.RunMemberKeys(t, func(t *testing.T) (credential.MemberKeyStore, loop.World) {
		t.Helper()
		db, w := open(t, "memberkeys", sqlite.MemberKeysSchema())
		return sqlite.NewMemberKeys(db), w
	})
}

func TestIdentity_SealsWhatOlderVersionsKept(t *testing.T) {
	t.Parallel()
	storetest.RunMembersInClear(t, func(t *testing.T) storetest.InClear {
		t.Helper()
		s, db, w := openIdentity(t)
		return storetest.InClear{Store: s, World: w, Seal: s.SealMembers, Raw: func(query string) (rows int) {
			if err := db.QueryRowContext(t.Context(), query).Scan(&rows); err != nil {
				t.Fatal(err)
			}
			return rows
		}, Set: func(inClear bool) {
			since := 0
			if inClear {
				since = -1
			}
			err := db.Write(t.Context(), func(tx *sqlite.Tx) error {
				_, err := tx.Count(`UPDATE member_form SET sealed_since = $1`, since)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}}
	})
}
