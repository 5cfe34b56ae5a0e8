package tables

import (
	"context"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/connection"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
)

// Reads are counted by day some time after they were recorded: an app that asks every
// ten minutes reads 12,000 times in the weeks that a member is shown, and a read itself
// is to write nothing more than its record. What of a lane is counted is said by
// read_counted, so that a record is counted once, here or in countUsage.

const (
	day = 24 * time.Hour
	// countBatch is how many records of a lane one transaction looks at.
	countBatch = 5000
	// countMargin is more than a record is older than the commit that brings it.
	countMargin = 2 * time.Minute

	beginLane     = `INSERT INTO read_counted (lane, number, caught_up_at) VALUES ($1, 0, 0) ON CONFLICT (lane) DO NOTHING`
	selectCounted = `SELECT number FROM read_counted WHERE lane = $1`
	moveCounted   = `UPDATE read_counted SET number = $1, caught_up_at = CASE WHEN CAST($2 AS bigint) > 0 THEN $2 ELSE caught_up_at END WHERE lane = $3 AND number = $4`
	addCounts     = `INSERT INTO read_counts (member_id, client_id, day, reads, newest)
		SELECT member_id, client_id, at / $1 AS of_day, count(*), max(at) FROM audit_records
		WHERE lane = $2 AND number > $3 AND number <= $4 AND event = 'biomarkers.read' GROUP BY member_id, client_id, of_day
		ON CONFLICT (member_id, client_id, day) DO UPDATE SET reads = read_counts.reads + excluded.reads,
			newest = CASE WHEN excluded.newest > read_counts.newest THEN excluded.newest ELSE read_counts.newest END`
	deleteCounts = `DELETE FROM read_counts WHERE (member_id, client_id, day) IN (SELECT member_id, client_id, day FROM read_counts WHERE day < $1 LIMIT $2)`

	// countUsage counts a member's reads by app and by week from day $2 on: those that
	// are counted by day, and the records that aren't yet. $3 is as long as a day, $4
	// the margin.
	countUsage = `SELECT client_id, week, CAST(sum(reads) AS bigint), max(newest) FROM (
		SELECT client_id, (day - $2) / 7 AS week, reads, newest FROM read_counts WHERE member_id = $1 AND day >= $2
		UNION ALL
		SELECT client_id, (at / $3 - $2) / 7, 1, at` + readsOfMember + `
			AND at >= (SELECT CASE WHEN uncounted > $2 * $3 THEN uncounted ELSE $2 * $3 END FROM (SELECT coalesce(min(caught_up_at), 0) - $4 AS uncounted FROM read_counted) AS since)
			AND number > coalesce((SELECT c.number FROM read_counted AS c WHERE c.lane = audit_records.lane), 0)
		) AS counted GROUP BY client_id, week`
)

// CountReads counts the reads of lanes by day, up to their heads. One process at a time
// is enough; two do no harm.
func (s Clinical) CountReads(ctx context.Context, heads []audit.Head) error {
	now := s.world.Now()
	for _, head := range heads {
		if err := s.countLane(ctx, head, now); err != nil {
			return fmt.Errorf("counting the reads of %s: %w", head.Lane, err)
		}
	}
	return nil
}

func (s Clinical) countLane(ctx context.Context, head audit.Head, now time.Time) error {
	for {
		var counted int64
		err := store.Found(s.db.Row(ctx, selectCounted, head.Lane).Scan(&counted))
		if err != nil && err != loop.ErrNotFound { //nolint:errorlint // Found gives it as it is
			return err
		}
		to, caughtUp := min(head.Number, counted+countBatch), int64(0)
		if to >= head.Number {
			caughtUp = store.Micro(now)
		}
		err = s.db.Do(ctx, func(tx Act) error {
			tx.Exec(beginLane, head.Lane)
			moved, err := tx.Count(moveCounted, max(to, counted), caughtUp, head.Lane, counted)
			if err == nil && moved > 0 && to > counted {
				tx.Exec(addCounts, day.Microseconds(), head.Lane, counted, to)
			}
			return err
		})
		if err != nil || caughtUp > 0 {
			return err
		}
	}
}

// sweepCounts deletes the counts of days that nobody is shown any more.
func (s Clinical) sweepCounts(ctx context.Context, now time.Time) error {
	return SweepRows(ctx, s.db, deleteCounts, store.Micro(now.Add(-(connection.Weeks+1)*connection.Week))/day.Microseconds())
}

// Usage counts a member's reads (connection.Reads).
func (s Clinical) Usage(ctx context.Context, member loop.MemberID, since time.Time) (map[loop.ClientID]connection.Usage, error) {
	usage := make(map[loop.ClientID]connection.Usage)
	err := s.db.Rows(ctx, func(row Scanner) error {
		var client loop.ClientID
		var week, count, newest int64
		if err := row.Scan((*string)(&client), &week, &count, &newest); err != nil {
			return err
		}
		u := usage[client]
		u.Begin = since
		if week >= 0 && week < connection.Weeks {
			u.ByWeek[week] = int(count)
		}
		if at := time.UnixMicro(newest).UTC(); at.After(u.LastReadAt) {
			u.LastReadAt = at
		}
		usage[client] = u
		return nil
	}, countUsage, member, store.Micro(since)/day.Microseconds(), day.Microseconds(), countMargin.Microseconds())
	return usage, err
}
