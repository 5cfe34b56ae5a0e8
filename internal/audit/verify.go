package audit

import (
	"bytes"
	"context"
	"crypto/hmac"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Records gives the stored rows.
type Records interface {
	// EachRow hands the rows of a lane to each, by number, until it returns an error.
	EachRow(ctx context.Context, lane string, each func(Row) error) error
	// Lanes names the lanes that have rows.
	Lanes(ctx context.Context) ([]string, error)
}

// Report is what a verification found in good order.
type Report struct {
	Records     int64
	Checkpoints int
	Newest      time.Time // of the newest checkpoint; zero: there is none
	Uncovered   int64     // records newer than it, whose loss could not be seen
}

// Verify reads every record and every checkpoint. The error says in words what
// is wrong first. Lines are those of a checkpoint file, oldest first; a verifier
// who kept a copy elsewhere brings that.
func Verify(ctx context.Context, keys Keys, lines [][]byte, databases ...Records) (Report, error) {
	checkpoints, err := keys.readCheckpoints(lines)
	if err != nil {
		return Report{}, err
	}
	v := verification{keys: keys, want: wanted(checkpoints), seen: map[string]int64{}}
	for _, database := range databases {
		if err := v.database(ctx, database); err != nil {
			return v.report, err
		}
	}
	return v.finish(checkpoints)
}

// readCheckpoints checks each line's signature and that each links to the one
// before.
func (k Keys) readCheckpoints(lines [][]byte) ([]Checkpoint, error) {
	var (
		checkpoints []Checkpoint
		previous    []byte
	)
	for i, line := range lines {
		c, err := k.ParseCheckpoint(line)
		if err != nil {
			return nil, fmt.Errorf("checkpoint %d was changed: %w", i+1, err)
		}
		if !bytes.Equal(c.Previous, previous) {
			return nil, fmt.Errorf("a checkpoint before number %d is missing or was moved", i+1)
		}
		checkpoints, previous = append(checkpoints, c), hashLine(line)
	}
	return checkpoints, nil
}

// wanted gathers which hash the checkpoints attest for which record.
func wanted(checkpoints []Checkpoint) map[string]map[int64][]byte {
	want := map[string]map[int64][]byte{}
	for _, c := range checkpoints {
		for _, head := range c.Heads {
			if head.Number == 0 {
				continue
			}
			if want[head.Lane] == nil {
				want[head.Lane] = map[int64][]byte{}
			}
			want[head.Lane][head.Number] = head.Hash
		}
	}
	return want
}

type verification struct {
	keys   Keys
	want   map[string]map[int64][]byte
	seen   map[string]int64 // lane: its last number
	report Report
}

func (v *verification) database(ctx context.Context, database Records) error {
	lanes, err := database.Lanes(ctx)
	if err != nil {
		return err
	}
	for _, lane := range lanes {
		if err := v.lane(ctx, database, lane); err != nil {
			return err
		}
	}
	return nil
}

func (v *verification) lane(ctx context.Context, database Records, lane string) error {
	previous := make([]byte, 32)
	return database.EachRow(ctx, lane, func(row Row) error {
		number := v.seen[lane] + 1
		switch {
		case row.Number != number:
			return fmt.Errorf("lane %s: record %d is missing", lane, number)
		case !hmac.Equal(row.Hash, v.keys.hash(row)):
			return fmt.Errorf("lane %s: record %d was changed", lane, number)
		case !bytes.Equal(row.Previous, previous):
			return fmt.Errorf("lane %s: record %d does not follow the one before it", lane, number)
		}
		if attested, ok := v.want[lane][number]; ok && !bytes.Equal(attested, row.Hash) {
			return fmt.Errorf("lane %s: record %d is not the one that a checkpoint attests", lane, number)
		}
		previous, v.seen[lane] = row.Hash, number
		v.report.Records++
		return nil
	})
}

// finish asks whether everything that the checkpoints attest was there.
func (v *verification) finish(checkpoints []Checkpoint) (Report, error) {
	v.report.Checkpoints = len(checkpoints)
	if len(checkpoints) == 0 {
		v.report.Uncovered = v.report.Records
		if v.report.Records > 0 {
			return v.report, fmt.Errorf("there is no checkpoint: %d records stand alone. Bring the checkpoint file", v.report.Records)
		}
		return v.report, nil
	}
	for _, lane := range slices.Sorted(maps.Keys(v.want)) {
		attested := slices.Max(slices.Collect(maps.Keys(v.want[lane])))
		if v.seen[lane] < attested {
			return v.report, fmt.Errorf("lane %s: records %d to %d are missing, which a checkpoint attests", lane, v.seen[lane]+1, attested)
		}
	}
	newest := checkpoints[len(checkpoints)-1]
	v.report.Newest = newest.At
	for lane, last := range v.seen {
		v.report.Uncovered += last - numberIn(newest.Heads, lane)
	}
	return v.report, nil
}
