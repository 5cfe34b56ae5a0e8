package tables

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
)

// Versions before this one kept each result as a plain row of its own. While one of
// them may still serve, results are added so; afterwards every member's are moved
// into chunks, all at once, by MoveResults or by the next act on them. Until none is
// left, reading looks here first: what was moved in between is then in the chunks.

// resultColumns are the columns of a plain row, in the order of scanResult.
const resultColumns = `arrival, collected_at, id, code, comparator, value, unit, reference_low, reference_high, flag, source, parsed_at, value_text, excluded, precision, sent_by, retracted_at`

const (
	selectResultForm    = `SELECT chunks, (SELECT count(*) FROM (SELECT 1 FROM results WHERE member_id > '' ORDER BY member_id LIMIT 1) AS one) FROM result_form`
	selectPlainResults  = `SELECT ` + resultColumns + ` FROM results WHERE member_id = $1`
	selectPlainArrival  = `SELECT coalesce(max(arrival), 0) FROM results WHERE member_id = $1`
	insertPlainResult   = `INSERT INTO results (member_id, ` + resultColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`
	selectPlainSender   = `SELECT sent_by, retracted_at FROM results WHERE member_id = $1 AND id = $2`
	retractPlainResult  = `UPDATE results SET retracted_at = $3 WHERE member_id = $1 AND id = $2 AND retracted_at = 0`
	deletePlainResults  = `DELETE FROM results WHERE member_id = $1`
	selectSomebodyPlain = `SELECT member_id FROM results WHERE member_id > '' ORDER BY member_id LIMIT 1`
)

// resultForm is what a process knows of the form in which results are kept.
type resultForm struct {
	moved atomic.Bool // all are in chunks, and will be
}

// readForm says whether results are still added as plain rows, and whether there are
// plain rows.
func (f *resultForm) readForm(row Scanner) (plain, some bool, err error) {
	var rows int64
	chunks := false
	if err := row.Scan(truth(&chunks), &rows); err != nil {
		return false, false, fmt.Errorf("reading the form of results: %w", store.Unreadable(err))
	}
	if chunks && rows == 0 {
		f.moved.Store(true)
	}
	return !chunks, rows > 0, nil
}

// isPlain reports whether the act has to add results as plain rows.
func (s Clinical) isPlain(tx Act) (plain bool, err error) {
	if s.form.moved.Load() {
		return false, nil
	}
	err = tx.Each(func(row Scanner) (err error) {
		plain, _, err = s.form.readForm(row)
		return err
	}, selectResultForm)
	return plain, err
}

// plainOf reads a member's plain rows; none where all are in chunks.
func (s Clinical) plainOf(ctx context.Context, member loop.MemberID) ([]biomarker.Stored, error) {
	if s.form.moved.Load() {
		return nil, nil
	}
	if _, some, err := s.form.readForm(s.db.Row(ctx, selectResultForm)); err != nil || !some {
		return nil, err
	}
	return list(ctx, s.db, scanResult, selectPlainResults, member)
}

// listPlain lists a member's plain rows as ListResults does chunks; not listed where
// there are none.
func (s Clinical) listPlain(ctx context.Context, member loop.MemberID, sel biomarker.Selection, each func(*biomarker.Result) bool) (listed bool, arrival int64, err error) {
	all, err := s.plainOf(ctx, member)
	if err != nil || len(all) == 0 {
		return false, 0, err
	}
	r := newListing(sel, each)
	if r.arrival == 0 {
		r.arrival = slices.MaxFunc(all, func(a, b biomarker.Stored) int { return int(a.Arrival - b.Arrival) }).Arrival
	}
	slices.SortFunc(all, newestFirst)
	c, err := biomarker.OpenChunk(biomarker.AppendChunk(nil, all))
	if err == nil {
		err = r.add(c)
	}
	if err == nil {
		err = r.handOut(math.MinInt64)
	}
	if errors.Is(err, errEnough) {
		err = nil
	}
	return true, r.arrival, err
}

// findPlain finds a result among a member's plain rows; nil where it is not there.
func (s Clinical) findPlain(ctx context.Context, member loop.MemberID, id loop.ResultID) (*biomarker.Result, error) {
	all, err := s.plainOf(ctx, member)
	for i := range all {
		if all[i].ID == id && all[i].RetractedAt.IsZero() {
			return &all[i].Result, nil
		}
	}
	return nil, err
}

func addPlain(tx Act, member loop.MemberID, results []biomarker.Result) error {
	var arrival int64
	if err := tx.Each(func(row Scanner) error { return row.Scan(&arrival) }, selectPlainArrival, member); err != nil {
		return fmt.Errorf("numbering results: %w", err)
	}
	if arrival+int64(len(results)) > biomarker.MaxResults {
		return biomarker.ErrFull
	}
	for i := range results {
		r := &results[i]
		arrival++
		tx.Exec(insertPlainResult, member, arrival,
			store.Micro(r.CollectedAt), r.ID, r.Code, r.Comparator, r.Value.String(), r.Unit,
			r.Range.Low.String(), r.Range.High.String(), r.Flag, r.Source, store.Micro(r.ParsedAt),
			r.Text, excluded(r.Range), r.Precision, r.SentBy, int64(0))
	}
	return nil
}

func senderOfPlain(tx Act, member loop.MemberID, id loop.ResultID) (sender loop.ClientID, standing bool, err error) {
	err = loop.ErrNotFound
	failed := tx.Each(func(row Scanner) error {
		var retractedAt int64
		err = row.Scan((*string)(&sender), &retractedAt)
		standing = retractedAt == 0
		return err
	}, selectPlainSender, member, id)
	return sender, standing, cmp.Or(failed, err)
}

// movePlain moves a member's plain rows into chunks, in the act's transaction.
func (s Clinical) movePlain(tx Act, key *credential.DataKey, member loop.MemberID) error {
	if s.form.moved.Load() {
		return nil
	}
	var all []biomarker.Stored
	if err := tx.Each(into(&all, scanResult), selectPlainResults, member); err != nil || len(all) == 0 {
		return err
	}
	for _, c := range inChunks(all, 1) {
		s.keep(tx, key, member, c)
	}
	tx.Exec(deletePlainResults, member)
	return nil
}

// Moved reports whether all results are in chunks, for good, as far as is known here.
func (s Clinical) Moved() bool { return s.form.moved.Load() }

// MoveResults moves plain rows into chunks, a member at a time, until none is left or
// ctx ends. It moves nothing while results are still added as plain rows. One process
// at a time is enough; two do no harm.
func (s Clinical) MoveResults(ctx context.Context) error {
	for !s.form.moved.Load() {
		plain, some, err := s.form.readForm(s.db.Row(ctx, selectResultForm))
		if err != nil || plain || !some {
			return err
		}
		if err := s.moveSomebody(ctx); err != nil {
			return fmt.Errorf("moving results into chunks: %w", err)
		}
	}
	return nil
}

func (s Clinical) moveSomebody(ctx context.Context) error {
	var member loop.MemberID
	if err := s.db.Row(ctx, selectSomebodyPlain).Scan((*string)(&member)); err != nil {
		return ignoreNotFound(store.Found(err)) // somebody else was faster
	}
	key, err := s.keys.Make(ctx, member, credential.ForResults)
	if errors.Is(err, credential.ErrErased) {
		return s.db.Do(ctx, func(tx Act) error {
			s.lock(tx, member)
			tx.Exec(deletePlainResults, member)
			return nil
		})
	}
	if err != nil {
		return err
	}
	return s.db.Do(ctx, func(tx Act) error {
		s.lock(tx, member)
		return s.movePlain(tx, key, member)
	})
}

func ignoreNotFound(err error) error {
	if errors.Is(err, loop.ErrNotFound) {
		return nil
	}
	return err
}

// scanResult reads a plain row.
func scanResult(row Scanner) (r biomarker.Stored, err error) {
	var value, low, high, bounds string
	err = row.Scan(&r.Arrival, moment(&r.CollectedAt), text(&r.ID), text(&r.Code), text(&r.Comparator), &value, &r.Unit, &low, &high,
		text(&r.Flag), &r.Source, moment(&r.ParsedAt), &r.Text, &bounds, text(&r.Precision), text(&r.SentBy), moment(&r.RetractedAt))
	if err != nil {
		return r, err
	}
	r.Range.LowExcluded, r.Range.HighExcluded = bounds == lowLimit || bounds == bothLimits, bounds == highLimit || bounds == bothLimits
	for _, number := range []struct {
		text string
		into *biomarker.Decimal
	}{{value, &r.Value}, {low, &r.Range.Low}, {high, &r.Range.High}} {
		if number.text == "" {
			continue
		}
		if *number.into, err = biomarker.ParseDecimal(number.text); err != nil {
			return r, fmt.Errorf("result %s: %w", r.ID, err)
		}
	}
	return r, nil
}

// Which of a laboratory's limits are excluded.
const (
	lowLimit   = "low"
	highLimit  = "high"
	bothLimits = "both"
)

func excluded(r biomarker.Range) string {
	switch {
	case r.LowExcluded && r.HighExcluded:
		return bothLimits
	case r.LowExcluded:
		return lowLimit
	case r.HighExcluded:
		return highLimit
	default:
		return ""
	}
}
