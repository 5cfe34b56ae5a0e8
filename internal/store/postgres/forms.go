package postgres

import (
	"context"
	"fmt"

	"github.com/loop-health/loop/internal/store"
	"github.com/loop-health/loop/internal/store/tables"
)

// storedForm is a change of the form in which something is kept, which older versions
// cannot read. A process's lease says up to which it knows.
type storedForm struct {
	number    int    // of those that knownForms counts
	lock      int    // the advisory lock that acts in the earlier form share
	schema    Schema // whose binaries must know
	migration int    // that one
}

// The forms that changed.
var (
	resultChunks  = storedForm{1, locksResultForm, Clinical, 3}
	sealedMembers = storedForm{2, locksMemberForm, Identity, 12}
)

// begin has the new form written from now on by a statement, if every process that
// serves knows it: none starts meanwhile, and from then on none starts that does not.
func (f storedForm) begin(ctx context.Context, d *Database, statement string, args ...any) error {
	started, err := Exclusively(ctx, d.config)
	if err != nil {
		return err
	}
	defer started()
	return d.Write(ctx, func(tx *Tx) error {
		var older bool
		err := tx.QueryRow(func(row tables.Scanner) error { return row.Scan(&older) },
			`SELECT EXISTS (SELECT 1 FROM leases WHERE knows < $1 AND expires_at > clock_timestamp() - $2::bigint * interval '1 microsecond')`,
			f.number, leaseMargin.Microseconds())
		if err != nil || older {
			return err
		}
		tx.Exec(`SELECT pg_advisory_xact_lock($1, 0)`, f.lock) // acts in the earlier form end first
		tx.Exec(statement, args...)
		tx.Exec(`UPDATE shared.schema_migrations SET oldest = greatest(oldest, $1) WHERE schema = $2 AND part = $2 AND number = $1`, f.migration, string(f.schema))
		return nil
	})
}

// MoveResults moves plain rows into chunks (tables.Clinical), once no process serves
// any more that knows plain rows alone.
func (s *ClinicalStore) MoveResults(ctx context.Context) error {
	if s.Moved() {
		return nil
	}
	if err := s.beginChunks(ctx); err != nil {
		return fmt.Errorf("ending plain rows of results: %w", err)
	}
	return s.Clinical.MoveResults(ctx)
}

func (s *ClinicalStore) beginChunks(ctx context.Context) error {
	return resultChunks.begin(ctx, s.db, `UPDATE result_form SET chunks = true WHERE NOT chunks`)
}

// SealMembers takes away names and addresses in clear (tables.Identity), once no process
// serves any more that knows no others.
func (s *IdentityStore) SealMembers(ctx context.Context) error {
	if s.MembersSealed() {
		return nil
	}
	if err := s.beginSealed(ctx); err != nil {
		return fmt.Errorf("ending names in clear: %w", err)
	}
	return s.Identity.SealMembers(ctx)
}

func (s *IdentityStore) beginSealed(ctx context.Context) error {
	return sealedMembers.begin(ctx, s.db, `UPDATE member_form SET sealed_since = $1 WHERE sealed_since < 0`, store.Micro(s.world.Now()))
}
