package platform

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/loop-health/loop/internal/admin"
	"github.com/loop-health/loop/internal/audit"
)

// followInterval is how often new records are looked for.
const followInterval = time.Second

// allNew is as many records as there can be in followInterval.
const allNew = math.MaxInt32

// Tail hands the newest records that a filter lets through to each, oldest first.
func (c chain) Tail(ctx context.Context, f audit.Filter, last int, each func(admin.Entry) error) error {
	_, err := c.tail(ctx, f, last, each)
	return err
}

// Page gives the newest records that a filter lets through, newest first, without the
// first so many, and how many there are in all.
func (c chain) Page(ctx context.Context, f audit.Filter, limit, offset int) (page []admin.Entry, total int64, err error) {
	for _, database := range c.p.databases {
		count, err := database.CountRecords(ctx, f)
		if err != nil {
			return nil, 0, err
		}
		total += count
	}
	rows, err := c.newest(ctx, f, offset+limit)
	if err != nil {
		return nil, 0, err
	}
	for _, row := range rows[min(offset, len(rows)):] {
		rec, err := row.Record()
		if err != nil {
			return nil, 0, err
		}
		page = append(page, admin.Entry{Lane: row.Lane, Number: row.Number, Record: rec})
	}
	return page, total, nil
}

// Follow does what Tail does, and then hands on each record that is added, until ctx ends.
func (c chain) Follow(ctx context.Context, f audit.Filter, last int, each func(admin.Entry) error) error {
	behind, err := c.heads(ctx)
	if err != nil {
		return err
	}
	shown, err := c.tail(ctx, f, last, each)
	tick := time.NewTicker(followInterval)
	defer tick.Stop()
	for err == nil {
		for lane, number := range shown {
			behind[lane] = max(behind[lane], number)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		f.Behind = behind
		shown, err = c.tail(ctx, f, allNew, each)
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// heads is how far each lane has come.
func (c chain) heads(ctx context.Context) (map[string]int64, error) {
	numbers := make(map[string]int64)
	for _, database := range c.p.databases {
		heads, err := database.Heads(ctx)
		if err != nil {
			return nil, err
		}
		for _, head := range heads {
			numbers[head.Lane] = head.Number
		}
	}
	return numbers, nil
}

// tail hands on the newest records of all databases, oldest first, and says how far it
// came in each lane.
func (c chain) tail(ctx context.Context, f audit.Filter, last int, each func(admin.Entry) error) (shown map[string]int64, err error) {
	rows, err := c.newest(ctx, f, last)
	if err != nil {
		return nil, err
	}
	shown = make(map[string]int64)
	for _, row := range slices.Backward(rows) {
		rec, err := row.Record()
		if err != nil {
			return nil, err
		}
		if err := each(admin.Entry{Lane: row.Lane, Number: row.Number, Record: rec}); err != nil {
			return nil, err
		}
		shown[row.Lane] = max(shown[row.Lane], row.Number)
	}
	return shown, nil
}

// newest gives the newest records of all databases that a filter lets through, newest
// first.
func (c chain) newest(ctx context.Context, f audit.Filter, atMost int) ([]audit.Row, error) {
	var all []audit.Row
	for _, database := range c.p.databases {
		rows, err := database.NewestRecords(ctx, f, atMost)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	slices.SortStableFunc(all, func(a, b audit.Row) int { return -cmp.Compare(a.At, b.At) })
	return all[:min(len(all), atMost)], nil
}
