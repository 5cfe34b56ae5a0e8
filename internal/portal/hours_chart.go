package portal

import (
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/requestlog"
)

// chartHours is how many hours the chart of an app's requests shows.
const chartHours = 48

// hoursChart is the data of a chart of requests by hour, the oldest first: a bar an
// hour, what was refused above what was answered, what failed above that; and the same
// as a table for who can't see it.
type hoursChart struct {
	Width, Height, Base int
	Bars                []hourBar
	Rows                []hourRow // of the hours with requests
	Most                int
	Description         string
}

type hourBar struct {
	X, Y, Width, Height int
	Class               requestlog.Class
	Label               string
}

type hourRow struct {
	From                                 string
	Answered, Refused, Failed, Refreshed int
}

// The chart's measures, in units of its own.
const (
	hoursHeight = 72
	hourWidth   = 8
	hourStep    = 10
)

// chartBegin is the first hour that the chart shows.
func chartBegin(now time.Time) time.Time {
	return now.Truncate(time.Hour).Add(-(chartHours - 1) * time.Hour)
}

func newHoursChart(hours []requestlog.Hour, now time.Time) hoursChart {
	c := hoursChart{Width: chartHours*hourStep - (hourStep - hourWidth), Height: hoursHeight, Base: hoursHeight - 1}
	total := requestlog.Hour{}
	for _, h := range hours {
		c.Most = max(c.Most, h.Answered+h.Refused+h.Failed)
		total.Answered, total.Refused, total.Failed = total.Answered+h.Answered, total.Refused+h.Refused, total.Failed+h.Failed
	}
	for _, h := range hours {
		from := h.Begin.UTC().Format("2 January, 15:04")
		c.Rows = append(c.Rows, hourRow{from, h.Answered, h.Refused, h.Failed, h.Refreshed})
		x, y := int(h.Begin.Sub(chartBegin(now))/time.Hour)*hourStep, c.Base
		for _, part := range []struct {
			class requestlog.Class
			count int
		}{{requestlog.Answered, h.Answered}, {requestlog.Refused, h.Refused}, {requestlog.Failed, h.Failed}} {
			if part.count == 0 {
				continue
			}
			height := max(2, part.count*(hoursHeight-8)/c.Most)
			y -= height
			c.Bars = append(c.Bars, hourBar{x, y, hourWidth, height, part.class, fmt.Sprintf("%s: %d %s", from, part.count, part.class)})
		}
	}
	c.Description = fmt.Sprintf("In the last %d hours: %d answered, %d refused, %d failed on our side; at most %d in one hour.", chartHours, total.Answered, total.Refused, total.Failed, c.Most)
	return c
}
