package store

import (
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/signin"
)

// ReplayMargin is how long what stops a replay outlives what could be replayed.
const ReplayMargin = 24 * time.Hour

// Expiring is rows of identity that are of no use any more from a moment on.
type Expiring struct {
	What       string // they are, for people
	table, key string
	condition  string // up to the parameter with the moment
	until      time.Time
}

// Expired lists what is due to be swept at a moment. Chains that nobody refreshes
// are not in it: finding those takes a walk through all.
func Expired(now time.Time) []Expiring {
	replayable := now.Add(-ReplayMargin)
	return []Expiring{
		{"sessions", "sessions", "hash", "expires_at <= ", now},
		{"idle sessions", "sessions", "hash", "seen_at <= ", now.Add(-signin.SessionIdle)},
		{"assertions", "assertions", "client_id, hash", "expires_at <= ", replayable},
		{"ended portal sessions", "ended_portal_sessions", "hash", "expires_at <= ", replayable},
		{"sent forms", "sent_forms", "hash", "expires_at <= ", replayable},
		{"pushed requests", "pushed_requests", "hash", "expires_at <= ", replayable},
		{"logouts", "logouts", "client_id, session_id", "due_at = 0 AND ended_at <= ", now.Add(-signin.SessionAtMost)},
		{"revocations", "revocations", "number", "expires_at <= ", replayable},
		{"ended chains", "chains", "member_id, id", "ended_at > 0 AND ended_at <= ", replayable.Add(-loop.DefaultAccessTokenTTL)},
	}
}

// Until is the moment that both statements take.
func (e Expiring) Until() int64 { return Micro(e.until) }

// Deletion is a statement that takes the moment, and how many rows to delete at
// most; the engine says how it writes the two parameters.
func (e Expiring) Deletion(until, atMost string) string {
	return `DELETE FROM ` + e.table + ` WHERE (` + e.key + `) IN (SELECT ` + e.key + ` FROM ` + e.table + ` WHERE ` + e.condition + until + ` LIMIT ` + atMost + `)`
}

// Count is a statement that takes the moment, and how many rows to count at most.
func (e Expiring) Count(until, atMost string) string {
	return `SELECT count(*) FROM (SELECT 1 FROM ` + e.table + ` WHERE ` + e.condition + until + ` LIMIT ` + atMost + `) AS due`
}
