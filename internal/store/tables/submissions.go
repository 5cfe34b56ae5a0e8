package tables

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
)

const (
	selectSubmission = `SELECT content, results FROM submissions WHERE member_id = $1 AND client_id = $2 AND key = $3 AND expires_at > $4`
	keepNewest       = `INSERT INTO submissions (member_id, client_id, key, content, results, expires_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (member_id, client_id, key) DO UPDATE SET content = excluded.content, results = excluded.results, expires_at = excluded.expires_at`
	deleteSubmissions = `DELETE FROM submissions WHERE (member_id, client_id, key) IN
		(SELECT member_id, client_id, key FROM submissions WHERE expires_at <= $1 LIMIT $2)`
)

// submitted gives the ids of a batch that was taken in before; nil where it was not.
// Of its content a hash under the member's key is kept: a plain one, as older versions
// keep, tells who guesses the values whether they are right.
func (s Clinical) submitted(tx Act, key *credential.DataKey, member loop.MemberID, once *biomarker.Submission) (ids []loop.ResultID, err error) {
	if once == nil {
		return nil, nil
	}
	err = tx.Each(func(row Scanner) error {
		var content []byte
		var list string
		if err := row.Scan(&content, &list); err != nil {
			return err
		}
		if hash := key.Hash(once.Content[:]); !bytes.Equal(content, hash[:]) && !bytes.Equal(content, once.Content[:]) {
			return biomarker.ErrOtherContent
		}
		for id := range strings.FieldsSeq(list) {
			ids = append(ids, loop.ResultID(id))
		}
		return nil
	}, selectSubmission, member, once.Client, once.Key[:], store.Micro(s.world.Now()))
	return ids, err
}

func keepSubmission(tx Tx, key *credential.DataKey, member loop.MemberID, once *biomarker.Submission, ids []loop.ResultID) {
	if once == nil {
		return
	}
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = string(id)
	}
	content := key.Hash(once.Content[:])
	tx.Exec(keepNewest, member, once.Client, once.Key[:], content[:], strings.Join(list, " "), store.Micro(once.Until))
}

// Sweep deletes the batches that need not be recognised any more, the counts that
// nobody is shown, and news that was brought to identity, at a moment.
func (s Clinical) Sweep(ctx context.Context, now time.Time) error {
	if err := SweepRows(ctx, s.db, deleteSubmissions, store.Micro(now)); err != nil {
		return fmt.Errorf("sweeping submissions: %w", err)
	}
	if err := s.sweepCounts(ctx, now); err != nil {
		return fmt.Errorf("sweeping counts of reads: %w", err)
	}
	if err := SweepRows(ctx, s.db, deleteForwarded, store.Micro(now.Add(-keptForwarded))); err != nil {
		return fmt.Errorf("sweeping settled deliveries: %w", err)
	}
	return nil
}
