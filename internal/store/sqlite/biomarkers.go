package sqlite

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"

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
func NewClinical(db *Database) *Clinical {
	alone := func(tables.Tx, loop.MemberID) {} // there is one writer
	return &Clinical{tables.NewClinical(db, db.world, alone), db}
}

// Which results are in a selection, and in what order. Later pages see what had
// arrived when the first was read: $2 is that number, 0 on the first page, where
// it is the member's newest. $3 is a JSON array of codes or NULL; $4 and $5
// bound the collection time, $6 and $7 are the place to go on behind.
const (
	newestArrival = `iif($2 > 0, $2, (SELECT coalesce(max(arrival), 0) FROM results WHERE member_id = $1))`

	selectResults = `
SELECT ` + newestArrival + `, ` + tables.ResultColumns + ` FROM results AS r
WHERE r.member_id = $1 AND r.` + tables.Standing + ` AND r.arrival <= ` + newestArrival + `
	AND ($3 IS NULL OR r.code IN (SELECT value FROM json_each($3)))
	AND r.collected_at >= $4 AND r.collected_at < $5
	AND (r.collected_at, r.id) < ($6, $7)`
	newestOfItsCode = `
	AND NOT EXISTS (SELECT 1 FROM results AS newer
		WHERE newer.member_id = $1 AND newer.` + tables.Standing + ` AND newer.code = r.code AND newer.arrival <= ` + newestArrival + `
			AND newer.collected_at < $5 AND (newer.collected_at, newer.id) > (r.collected_at, r.id))`
	newestFirst = `
ORDER BY r.collected_at DESC, r.id DESC`

	listResults       = selectResults + newestFirst
	listLatestResults = selectResults + newestOfItsCode + newestFirst
)

// ListResults hands the results of a selection to each (biomarker.Results).
func (s *Clinical) ListResults(ctx context.Context, member loop.MemberID, sel biomarker.Selection, each func(*biomarker.Result) bool) (arrival int64, err error) {
	args, err := selectionArgs(member, sel)
	if err != nil {
		return 0, err
	}
	query := listResults
	if sel.Latest {
		query = listLatestResults
	}
	// A page is read before a cancellation could help, and watching for one would
	// cost two goroutines.
	return tables.ListResults(context.WithoutCancel(ctx), s.db, each, query, args...)
}

func selectionArgs(member loop.MemberID, sel biomarker.Selection) ([]any, error) {
	var codes any
	if len(sel.Codes) > 0 {
		list, err := json.Marshal(sel.Codes)
		if err != nil {
			return nil, fmt.Errorf("writing the codes of a selection: %w", err)
		}
		codes = string(list)
	}
	from, to, place, id := tables.Bounds(sel)
	return []any{member, sel.After.Arrival, codes, from, to, place, id}, nil
}
