package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/store"
)

// sweepBatch is how many rows one transaction sweeps, so that no act waits long.
const sweepBatch = 500

// replayMargin is how long what stops a replay outlives what could be replayed.
const replayMargin = 24 * time.Hour

// expiring is rows that are of no use any more from a moment on.
type expiring struct {
	what, table, key string
	condition        string // with one parameter: rows up to that moment are due
	until            time.Time
}

// expired lists what is due to be swept at a moment.
func expired(now time.Time) []expiring {
	replayable := now.Add(-replayMargin)
	return []expiring{
		{"sessions", "sessions", "hash", "expires_at <= ?", now},
		{"idle sessions", "sessions", "hash", "seen_at <= ?", now.Add(-member.SessionIdle)},
		{"assertions", "assertions", "(client_id, hash)", "expires_at <= ?", replayable},
		{"ended portal sessions", "ended_portal_sessions", "hash", "expires_at <= ?", replayable},
		{"pushed requests", "pushed_requests", "hash", "expires_at <= ?", replayable},
		{"logouts", "logouts", "(client_id, session_id)", "due_at = 0 AND ended_at <= ?", now.Add(-member.SessionAtMost)},
		{"revocations", "revocations", "number", "expires_at <= ?", replayable},
		{"ended chains", "chains", "(member_id, id)", "ended_at > 0 AND ended_at <= ?", replayable.Add(-loop.DefaultAccessTokenTTL)},
	}
}

// deletion takes the moment, and how many rows to delete at most.
func (e expiring) deletion() string {
	columns := strings.Trim(e.key, "()")
	return `DELETE FROM ` + e.table + ` WHERE ` + e.key + ` IN (SELECT ` + columns + ` FROM ` + e.table + ` WHERE ` + e.condition + ` LIMIT ?)`
}

// count takes the moment, and how many rows to count at most.
func (e expiring) count() string {
	return `SELECT count(*) FROM (SELECT 1 FROM ` + e.table + ` WHERE ` + e.condition + ` LIMIT ?)`
}

// Sweep deletes what has expired: sessions, revocations, and chains of which
// nothing can be presented any more. It comes back when nothing is left or ctx ends.
func (s *Identity) Sweep(ctx context.Context) error {
	now := s.world.Now()
	s.revocations.Sweep(now)
	for _, due := range expired(now) {
		if err := s.sweep(ctx, due); err != nil {
			return fmt.Errorf("sweeping %s: %w", due.what, err)
		}
	}
	return s.sweepIdleChains(ctx, now)
}

// backlogAtMost bounds what is counted for a figure.
const backlogAtMost = 10_000

// Backlog counts the rows that are due to be swept, by what they are, up to
// 10,000 of each. Chains that nobody refreshes are not among them: finding those
// takes a walk through all.
func (s *Identity) Backlog(ctx context.Context) (map[string]int64, error) {
	backlog := make(map[string]int64)
	for _, due := range expired(s.world.Now()) {
		var rows int64
		if err := s.db.QueryRowContext(ctx, due.count(), store.Micro(due.until), backlogAtMost).Scan(&rows); err != nil {
			return nil, fmt.Errorf("counting %s: %w", due.what, err)
		}
		backlog[due.what] = rows
	}
	return backlog, nil
}

// sweep repeats a bounded deletion until it finds nothing.
func (s *Identity) sweep(ctx context.Context, due expiring) error {
	for {
		var deleted int64
		err := s.db.Write(ctx, func(tx *Tx) (err error) {
			deleted, err = tx.Exec(due.deletion(), store.Micro(due.until), sweepBatch)
			return err
		})
		if err != nil || deleted < sweepBatch {
			return err
		}
	}
}

// sweepIdleChains walks the chains in the order of their key: an index on the
// idle expiry would have to be written at every refresh.
func (s *Identity) sweepIdleChains(ctx context.Context, now time.Time) error {
	var afterMember, afterID string
	for more := true; more; {
		err := s.db.Write(ctx, func(tx *Tx) error {
			var lastMember, lastID string
			err := tx.QueryRow(`SELECT member_id, id FROM (SELECT member_id, id FROM chains WHERE (member_id, id) > (?, ?) ORDER BY member_id, id LIMIT ?)
				ORDER BY member_id DESC, id DESC LIMIT 1`, afterMember, afterID, sweepBatch).Scan(&lastMember, &lastID)
			if more = !errors.Is(err, sql.ErrNoRows); !more {
				return nil
			}
			if err != nil {
				return err
			}
			_, err = tx.Exec(`DELETE FROM chains WHERE (member_id, id) > (?, ?) AND (member_id, id) <= (?, ?) AND idle_expires_at <= ?`,
				afterMember, afterID, lastMember, lastID, store.Micro(now.Add(-replayMargin)))
			afterMember, afterID = lastMember, lastID
			return err
		})
		if err != nil {
			return fmt.Errorf("sweeping idle chains: %w", err)
		}
	}
	return nil
}
