package postgres

import (
	"context"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store/tables"
)

// ClinicalStore keeps lab results.
type ClinicalStore struct {
	tables.Clinical
	db *Database
}

// NewClinical makes the store of a database that was opened with Clinical.
func NewClinical(db *Database) *ClinicalStore {
	return &ClinicalStore{tables.NewClinical(db, db.config.World, lockResults), db}
}

// lockResults has whoever changes a member's results wait for the one before.
func lockResults(tx tables.Tx, member loop.MemberID) {
	tx.Exec(`SELECT pg_advisory_xact_lock(hashtextextended('results of ' || $1::text, 0))`, member)
}

// Which results are in a selection, and in what order. Later pages see what had
// arrived when the first was read: $2 is that number, 0 on the first page, where
// it is the member's newest. $3 are codes, or none; $4 and $5 bound the collection
// time, $6 and $7 are the place to go on behind.
const (
	selectResults = `
SELECT newest.arrival, ` + tables.ResultColumns + ` FROM results AS r
CROSS JOIN LATERAL (SELECT CASE WHEN $2::bigint > 0 THEN $2 ELSE (SELECT coalesce(max(arrival), 0) FROM results WHERE member_id = $1) END) AS newest (arrival)
WHERE r.member_id = $1 AND r.` + tables.Standing + ` AND r.arrival <= newest.arrival
	AND (cardinality($3::text[]) = 0 OR r.code = ANY ($3))
	AND r.collected_at >= $4 AND r.collected_at < $5
	AND (r.collected_at, r.id) < ($6, $7)`
	newestOfItsCode = `
	AND NOT EXISTS (SELECT 1 FROM results AS newer
		WHERE newer.member_id = $1 AND newer.` + tables.Standing + ` AND newer.code = r.code AND newer.arrival <= newest.arrival
			AND newer.collected_at < $5 AND (newer.collected_at, newer.id) > (r.collected_at, r.id))`
	newestFirst = `
ORDER BY r.collected_at DESC, r.id DESC`

	listResults       = selectResults + newestFirst
	listLatestResults = selectResults + newestOfItsCode + newestFirst
)

// ListResults hands the results of a selection to each (biomarker.Results).
func (s *ClinicalStore) ListResults(ctx context.Context, member loop.MemberID, sel biomarker.Selection, each func(*biomarker.Result) bool) (arrival int64, err error) {
	query := listResults
	if sel.Latest {
		query = listLatestResults
	}
	return tables.ListResults(ctx, s.db, each, query, selectionArgs(member, sel)...)
}

func selectionArgs(member loop.MemberID, sel biomarker.Selection) []any {
	codes := make([]string, len(sel.Codes))
	for i, code := range sel.Codes {
		codes[i] = string(code)
	}
	from, to, place, id := tables.Bounds(sel)
	return []any{member, sel.After.Arrival, codes, from, to, place, id}
}
