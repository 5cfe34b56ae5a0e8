package sqlite

import (
	"context"
	"embed"
	"io/fs"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store/tables"
)

//go:embed schema/clinical/*.sql
var clinicalSchema embed.FS

// ClinicalSchema is the numbered migrations of clinical's database.
func ClinicalSchema() fs.FS {
	sub, err := fs.Sub(clinicalSchema, "schema/clinical")
	if err != nil {
		panic("sqlite: the embedded schema is not there: " + err.Error())
	}
	return sub
}

// Clinical keeps lab results.
type Clinical struct {
	tables.Clinical
	db *Database
}

// NewClinical makes the store of a database that was opened with ClinicalSchema.
func NewClinical(db *Database, keys tables.DataKeys) *Clinical {
	alone := func(tables.Tx, loop.MemberID) {} // there is one writer
	return &Clinical{tables.NewClinical(db, db.world, keys, alone), db}
}

// ListResults hands the results of a selection to each (biomarker.Results). A page is
// read before a cancellation could help, and watching for one would cost two goroutines.
func (s *Clinical) ListResults(ctx context.Context, member loop.MemberID, sel biomarker.Selection, each func(*biomarker.Result) bool) (arrival int64, err error) {
	return s.Clinical.ListResults(context.WithoutCancel(ctx), member, sel, each)
}

// RecordRead writes the record of a read and returns once it is durable
// (clinical.Records).
func (s *Clinical) RecordRead(ctx context.Context, rec audit.Record) error {
	return s.db.WriteAgain(ctx, func(tx *Tx) error { return tx.Record(rec) })
}

// MoveResults moves plain rows into chunks (tables.Clinical). What it deletes is
// overwritten with zeros; the log, which still has it, is cut off.
func (s *Clinical) MoveResults(ctx context.Context) error {
	if s.Moved() {
		return nil
	}
	if err := s.Clinical.MoveResults(ctx); err != nil {
		return err
	}
	return s.db.truncateLog(ctx)
}

// CountReads counts by day what apps have read since it last did (tables.Clinical).
func (s *Clinical) CountReads(ctx context.Context) error {
	heads, err := s.db.Heads(ctx)
	if err != nil {
		return err
	}
	return s.Clinical.CountReads(ctx, heads)
}
