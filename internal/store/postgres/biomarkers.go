package postgres

import (
	"context"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store/tables"
)

// ClinicalStore keeps lab results.
type ClinicalStore struct {
	tables.Clinical
	db *Database
}

// NewClinical makes the store of a database that was opened with Clinical.
func NewClinical(db *Database, keys tables.DataKeys) *ClinicalStore {
	return &ClinicalStore{tables.NewClinical(db, db.config.World, keys, lockResults), db}
}

// lockResults has whoever changes a member's results wait for the one before, and for
// a change of the form in which results are added.
func lockResults(tx tables.Tx, member loop.MemberID) {
	tx.Exec(`SELECT pg_advisory_xact_lock(hashtextextended('results of ' || $1::text, 0))`, member)
	tx.Exec(`SELECT pg_advisory_xact_lock_shared($1, 0)`, locksResultForm)
}

// CountReads counts by day what apps have read since it last did (tables.Clinical).
func (s *ClinicalStore) CountReads(ctx context.Context) error {
	heads, err := s.db.Heads(ctx)
	if err != nil {
		return err
	}
	return s.Clinical.CountReads(ctx, heads)
}
