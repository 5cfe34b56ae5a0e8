package account

import (
	"fmt"
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
	Weeks, Most         int
	Description         string
}

type bar struct {
	X, Y, Width, Height int
	Label               string
}

type weekRow struct {
	From  string
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
	total := 0
	for i, count := range usage.ByWeek {
		from := day(usage.Begin.Add(time.Duration(i) * connection.Week))
		total += count
		c.Rows = append(c.Rows, weekRow{From: from, Count: count})
		if count == 0 {
			continue
		}
		height := max(2, count*(chartHeight-4)/c.Most)
		c.Bars = append(c.Bars, bar{
			X: i * barStep, Y: c.Base - height, Width: barWidth, Height: height, Label: fmt.Sprintf("Week from %s: %d", from, count),
		})
	}
	c.Description = fmt.Sprintf("%d reads in %d weeks, at most %d in one.", total, connection.Weeks, c.Most)
	return c
}
