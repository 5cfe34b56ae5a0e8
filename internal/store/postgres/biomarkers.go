package postgres

import (
	"context"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store/tables"
)

// ClinicalStore keeps lab results.
type ClinicalStore struct {
	tables.Clinical
	db      *Database
	records *gathering[audit.Record]
}

// NewClinical makes the store of a database that was opened with Clinical.
func NewClinical(db *Database, keys tables.DataKeys) *ClinicalStore {
	return &ClinicalStore{tables.NewClinical(db, db.config.World, keys, lockResults), db, newRecords(db)}
}

// newRecords makes what writes records of reads together.
func newRecords(db *Database) *gathering[audit.Record] {
	write := func(tx *Tx, rec audit.Record) error { return tx.Record(rec) }
	return &gathering[audit.Record]{database: db, act: write, alone: func(ctx context.Context, rec audit.Record) error {
		return db.Write(ctx, func(tx *Tx) error { return write(tx, rec) })
	}}
}

// RecordRead writes the record of a read, together with others that come at the same
// time, and returns once it is durable (clinical.Records).
func (s *ClinicalStore) RecordRead(ctx context.Context, rec audit.Record) error {
	return s.records.do(ctx, "", rec)
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
