package postgres

import (
	"context"
	"fmt"

	"github.com/loop-health/loop/internal/store/tables"
)

// chunkMigration is the migration of clinical that a binary must know to read results
// in chunks.
const chunkMigration = 3

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

// beginChunks has results added in chunks from now on, if every process that serves
// knows them: none starts meanwhile, and from then on none starts that does not.
func (s *ClinicalStore) beginChunks(ctx context.Context) error {
	started, err := Exclusively(ctx, s.db.config)
	if err != nil {
		return err
	}
	defer started()
	return s.db.Write(ctx, func(tx *Tx) error {
		var older bool
		err := tx.QueryRow(func(row tables.Scanner) error { return row.Scan(&older) },
			`SELECT EXISTS (SELECT 1 FROM leases WHERE knows < $1 AND expires_at > clock_timestamp() - $2::bigint * interval '1 microsecond')`,
			knownForms, leaseMargin.Microseconds())
		if err != nil || older {
			return err
		}
		tx.Exec(`SELECT pg_advisory_xact_lock($1, 0)`, locksResultForm) // acts that add plain rows end first
		tx.Exec(`UPDATE result_form SET chunks = true WHERE NOT chunks`)
		tx.Exec(`UPDATE shared.schema_migrations SET oldest = greatest(oldest, $1) WHERE schema = 'clinical' AND part = 'clinical' AND number = $1`, chunkMigration)
		return nil
	})
}
