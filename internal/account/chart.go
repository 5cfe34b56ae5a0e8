package account

import (
	"slices"
	"time"

	"github.com/loop-health/loop/internal/connection"
)

// chart is the data of a chart of reads by week: bars from the left, the oldest week
// first, and the same as a table for who can't see it.
type chart struct {
	Width, Height, Base int
	Bars                []bar
	Rows                []weekRow
	Weeks, Most, Total  int
}

type bar struct {
	X, Y, Width, Height int
	weekRow
}

type weekRow struct {
	From  time.Time // its first day
	Count int
}

// The chart's measures, in units of its own.
const (
	chartHeight = 64
	barWidth    = 18
	barStep     = 24
)

func newChart(usage connection.Usage) chart {
	c := chart{Width: connection.Weeks*barStep - (barStep - barWidth), Height: chartHeight, Base: chartHeight - 1, Weeks: connection.Weeks}
	c.Most = slices.Max(usage.ByWeek[:])
	for i, count := range usage.ByWeek {
		week := weekRow{From: usage.Begin.Add(time.Duration(i) * connection.Week), Count: count}
		c.Total += count
		c.Rows = append(c.Rows, week)
		if count == 0 {
			continue
		}
		height := max(2, count*(chartHeight-4)/c.Most)
		c.Bars = append(c.Bars, bar{X: i * barStep, Y: c.Base - height, Width: barWidth, Height: height, weekRow: week})
	}
	return c
}
