package tables

import (
	"context"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/store"
)

const (
	selectNewestArrival = `SELECT coalesce(max(last_arrival), 0), coalesce(max(number), 0) FROM result_chunks WHERE member_id = $1`
	// selectTouchedChunks reads what new results have to do with: the last chunk, which
	// may have room, and those with ids from $2 to $3.
	selectTouchedChunks = `SELECT number, sealed FROM result_chunks WHERE member_id = $1 AND (number = $4 OR low_id <= $3 AND high_id >= $2)`
)

// AddResults adds a member's new results (biomarker.Inbox).
func (s Clinical) AddResults(ctx context.Context, member loop.MemberID, results []biomarker.Result, once *biomarker.Submission, news []outbox.Message, rec audit.Record) (ids []loop.ResultID, err error) {
	key, err := s.keys.Make(ctx, member, credential.ForResults)
	if err != nil {
		return nil, noneOfErased(err)
	}
	err = s.db.Do(ctx, func(tx Act) (err error) {
		s.lock(tx, member) // arrivals are numbered one batch after the other
		if ids, err = s.submitted(tx, key, member, once); err != nil || ids != nil {
			return err
		}
		if err := s.addResults(tx, key, member, results); err != nil {
			return err
		}
		for i := range results {
			ids = append(ids, results[i].ID)
		}
		keepSubmission(tx, key, member, once, ids)
		AddMessages(tx, news)
		return tx.Record(rec)
	})
	return ids, err
}

// addResults adds results behind those that the member has. An id that is already
// there is an error.
func (s Clinical) addResults(tx Act, key *credential.DataKey, member loop.MemberID, results []biomarker.Result) error {
	plain, err := s.isPlain(tx)
	if err != nil {
		return err
	}
	if plain {
		return addPlain(tx, member, results)
	}
	if err := s.movePlain(tx, key, member); err != nil {
		return err
	}
	var arrival, last int64
	err = tx.Each(func(row Scanner) error { return row.Scan(&arrival, &last) }, selectNewestArrival, member)
	if err != nil {
		return fmt.Errorf("numbering results: %w", err)
	}
	if arrival+int64(len(results)) > biomarker.MaxResults {
		return biomarker.ErrFull
	}
	added := make([]biomarker.Stored, len(results))
	for i := range results {
		added[i] = biomarker.Stored{Result: results[i], Arrival: arrival + int64(i) + 1}
	}
	filled, err := s.fill(tx, key, member, last, added)
	if err != nil {
		return err
	}
	for _, c := range filled {
		s.keep(tx, key, member, c)
	}
	return nil
}

// fill puts new results into the member's last chunk, whose number is given, where it
// has room for all of them; else into new ones.
func (s Clinical) fill(tx Act, key *credential.DataKey, member loop.MemberID, last int64, added []biomarker.Stored) ([]*chunk, error) {
	low, high := added[0].ID, added[0].ID
	there := make(map[loop.ResultID]bool, len(added))
	for i := range added {
		id := added[i].ID
		if low, high = min(low, id), max(high, id); there[id] {
			return nil, errSecond(id)
		}
		there[id] = true
	}
	var open *chunk
	err := tx.Each(func(row Scanner) error {
		c, err := scanChunk(row, key, member)
		if err != nil {
			return err
		}
		for i := range c.results {
			if there[c.results[i].ID] {
				return errSecond(c.results[i].ID)
			}
		}
		if c.number == last && len(c.results)+len(added) <= biomarker.ChunkSize {
			open = c
		}
		return nil
	}, selectTouchedChunks, member, low, high, last)
	if err != nil {
		return nil, err
	}
	if open == nil {
		return inChunks(added, last+1), nil
	}
	open.results = append(open.results, added...)
	return []*chunk{open}, nil
}

func errSecond(id loop.ResultID) error { return fmt.Errorf("the result %s is there already", id) }

// RetractResult marks a result as entered in error (biomarker.Inbox).
func (s Clinical) RetractResult(ctx context.Context, member loop.MemberID, by loop.ClientID, id loop.ResultID, rec audit.Record) error {
	key, err := s.keys.Make(ctx, member, credential.ForResults)
	if err != nil {
		return noneOfErased(err)
	}
	return s.db.Do(ctx, func(tx Act) error {
		s.lock(tx, member)
		sender, standing, err := s.senderOf(tx, key, member, id)
		switch {
		case err != nil:
			return fmt.Errorf("finding the result to retract: %w", err)
		case sender != by:
			return biomarker.ErrOtherSender
		case !standing:
			return nil
		}
		if err := s.retract(tx, key, member, id, rec.At); err != nil {
			return err
		}
		return tx.Record(rec)
	})
}

// senderOf says who sent a result, and whether nobody has retracted it yet.
func (s Clinical) senderOf(tx Act, key *credential.DataKey, member loop.MemberID, id loop.ResultID) (sender loop.ClientID, standing bool, err error) {
	plain, err := s.isPlain(tx)
	if err != nil {
		return "", false, err
	}
	if plain {
		return senderOfPlain(tx, member, id)
	}
	if err := s.movePlain(tx, key, member); err != nil {
		return "", false, err
	}
	_, r, err := s.findIn(tx, key, member, id)
	if err != nil {
		return "", false, err
	}
	return r.SentBy, r.RetractedAt.IsZero(), nil
}

// retract marks a result as entered in error, if it is not yet.
func (s Clinical) retract(tx Act, key *credential.DataKey, member loop.MemberID, id loop.ResultID, at time.Time) error {
	plain, err := s.isPlain(tx)
	if err != nil {
		return err
	}
	if plain {
		tx.Exec(retractPlainResult, member, id, store.Micro(at))
		return nil
	}
	if err := s.movePlain(tx, key, member); err != nil {
		return err
	}
	c, r, err := s.findIn(tx, key, member, id)
	if err != nil || !r.RetractedAt.IsZero() {
		return err
	}
	r.RetractedAt = store.FromMicro(store.Micro(at))
	s.keep(tx, key, member, c)
	return nil
}

// findIn finds a result in a member's chunks; loop.ErrNotFound where it is in none.
func (s Clinical) findIn(tx Act, key *credential.DataKey, member loop.MemberID, id loop.ResultID) (in *chunk, r *biomarker.Stored, err error) {
	err = tx.Each(func(row Scanner) error {
		c, err := scanChunk(row, key, member)
		if err != nil {
			return err
		}
		if found := c.find(id); found != nil {
			in, r = c, found
		}
		return nil
	}, selectChunksOfID, member, id)
	if err == nil && r == nil {
		err = loop.ErrNotFound
	}
	return in, r, err
}
