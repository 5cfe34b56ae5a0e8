package tables

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/requestlog"
	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/store"
)

// replayMargin is how long what stops a replay outlives what could be replayed.
const replayMargin = 24 * time.Hour

// expiring is rows of identity that are of no use any more from a moment on.
type expiring struct {
	what       string // they are, for people
	table, key string
	condition  string // up to the parameter with the moment
	until      time.Time
}

// expired lists what is due to be swept at a moment. Chains that nobody refreshes
// are not in it: finding those takes a walk through all.
func expired(now time.Time) []expiring {
	replayable := now.Add(-replayMargin)
	return []expiring{
		{"sessions", "sessions", "hash", "expires_at <= ", now},
		{"idle sessions", "sessions", "hash", "seen_at <= ", now.Add(-signin.SessionIdle)},
		{"assertions", "assertions", "client_id, hash", "expires_at <= ", replayable},
		{"ended portal sessions", "ended_portal_sessions", "hash", "expires_at <= ", replayable},
		{"sent forms", "sent_forms", "hash", "expires_at <= ", replayable},
		{"links in mails", "mail_links", "hash", "expires_at <= ", now},
		{"spent proofs", "spent_proofs", "hash", "expires_at <= ", replayable},
		{"pushed requests", "pushed_requests", "hash", "expires_at <= ", replayable},
		{"requests of apps", "request_batches", "client_id, claimed, stored, first_request", "at <= ", now.Add(-requestlog.KeptHours)},
		{"counts of requests", "request_hours", "client_id, hour", "hour <= ", now.Add(-requestlog.KeptHours)},
		{"settled deliveries", "deliveries", "number", "settled_at > 0 AND settled_at <= ", now.Add(-keptDeliveries)},
		{"revocations", "revocations", "number", "expires_at <= ", replayable},
		{"ended chains", "chains", "member_id, id", "ended_at > 0 AND ended_at <= ", replayable.Add(-loop.MaxAccessTokenTTL)},
	}
}

// deletion takes the moment, and how many rows to delete at most.
func (e expiring) deletion() string {
	return `DELETE FROM ` + e.table + ` WHERE (` + e.key + `) IN (SELECT ` + e.key + ` FROM ` + e.table + ` WHERE ` + e.condition + `$1 LIMIT $2)`
}

// selectPage gives the key of the last row of a page behind ($1, $2); $3 is how many
// rows a page has.
func selectPage(table string) string {
	return `SELECT member_id, id FROM (SELECT member_id, id FROM ` + table + ` WHERE (member_id, id) > ($1, $2) ORDER BY member_id, id LIMIT $3) AS page
		ORDER BY member_id DESC, id DESC LIMIT 1`
}

// Idle chains are looked for page by page, in the order of the key: an index on the
// idle expiry would have to be written at every refresh.
const (
	// deleteIdleChains deletes of the chains behind ($1, $2) up to ($3, $4) those that
	// nobody has been able to refresh since $5.
	deleteIdleChains = `DELETE FROM chains WHERE (member_id, id) > ($1, $2) AND (member_id, id) <= ($3, $4) AND idle_expires_at <= $5`
)

// sweepBatch is how many rows one transaction sweeps, so that no act waits long.
const sweepBatch = 500

// Sweep deletes what has expired at a moment: sessions, revocations, and chains of which
// nothing can be presented any more. It comes back when nothing is left or ctx ends.
// One process at a time is enough; two do no harm.
func (s Identity) Sweep(ctx context.Context, now time.Time) error {
	for _, due := range expired(now) {
		if err := SweepRows(ctx, s.db, due.deletion(), store.Micro(due.until)); err != nil {
			return fmt.Errorf("sweeping %s: %w", due.what, err)
		}
	}
	if err := s.sweepIdleChains(ctx, now); err != nil {
		return fmt.Errorf("sweeping idle chains: %w", err)
	}
	return nil
}

// SweepRows repeats a deletion until it finds nothing: $1 is the moment up to which,
// $2 how many rows at most.
func SweepRows(ctx context.Context, db Database, deletion string, until int64) error {
	for {
		var deleted int64
		err := db.Do(ctx, func(tx Act) (err error) {
			deleted, err = tx.Count(deletion, until, sweepBatch)
			return err
		})
		if err != nil || deleted < sweepBatch {
			return err
		}
	}
}

func (s Identity) sweepIdleChains(ctx context.Context, now time.Time) error {
	return s.inPages(ctx, "chains", func(tx Act, p keyRange) {
		tx.Exec(deleteIdleChains, p.member, p.id, p.lastMember, p.lastID, store.Micro(now.Add(-replayMargin)))
	})
}

// keyRange is the rows of a page: behind the first key, up to the last.
type keyRange struct{ member, id, lastMember, lastID string }

// inPages has do change each page of a table, whose key is (member_id, id), in a
// transaction of its own, so that no act waits long.
func (s Identity) inPages(ctx context.Context, table string, do func(tx Act, p keyRange)) error {
	var p keyRange
	for more := true; more; {
		err := s.db.Do(ctx, func(tx Act) error {
			more = false
			err := tx.Each(func(row Scanner) error {
				more = true
				return row.Scan(&p.lastMember, &p.lastID)
			}, selectPage(table), p.member, p.id, sweepBatch)
			if err != nil || !more {
				return err
			}
			do(tx, p)
			return nil
		})
		if err != nil {
			return err
		}
		p.member, p.id = p.lastMember, p.lastID
	}
	return nil
}

// backlogAtMost bounds how many rows of each kind are counted for a figure.
const backlogAtMost = 10_000

// Backlog counts the rows that are due to be swept at a moment, by what they are, up to 10,000
// of each, in one statement. Chains that nobody refreshes are not among them.
func (s Identity) Backlog(ctx context.Context, now time.Time) (map[string]int64, error) {
	due := expired(now)
	counts, args := make([]string, len(due)), []any{backlogAtMost}
	for i, e := range due {
		args = append(args, store.Micro(e.until))
		counts[i] = fmt.Sprintf(`SELECT '%s', count(*) FROM (SELECT 1 FROM %s WHERE %s$%d LIMIT $1) AS due`, e.what, e.table, e.condition, len(args))
	}
	backlog := make(map[string]int64, len(due))
	err := s.db.Rows(ctx, func(row Scanner) error {
		var what string
		var rows int64
		err := row.Scan(&what, &rows)
		backlog[what] = rows
		return err
	}, strings.Join(counts, ` UNION ALL `), args...)
	if err != nil {
		return nil, fmt.Errorf("counting what is due to be swept: %w", err)
	}
	return backlog, nil
}
