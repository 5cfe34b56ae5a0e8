package resultview

import (
	"math/big"
	"slices"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
)

// History is one biomarker's results over time, in one unit: those that are numbers.
type History struct {
	words  Words
	unit   string  // UCUM, of what is drawn
	points []point // the oldest first

	Converted int // how many were reported in another unit
	Listed    int // how many are no numbers, and so are not drawn
}

// point is a result that is drawn.
type point struct {
	result   *biomarker.Judged
	from, to time.Time // what its date stands for
	value    float64
	low      *float64 // the range that it was held against; nil: no limit
	high     *float64
}

// NewHistory prepares results of one biomarker, the newest first, to be drawn in one of
// its units. An empty unit is the one that the newest number was reported in. Nil where
// none is a number.
func NewHistory(words Words, results []biomarker.Judged, unit string) *History {
	h := &History{words: words, unit: unit}
	for i := range results {
		r := &results[i]
		if !r.Value.Present() {
			h.Listed++
			continue
		}
		if h.unit == "" {
			h.unit = r.Unit
		}
		if r.Unit != h.unit {
			h.Converted++
		}
		h.points = append(h.points, newPoint(r, h.unit))
	}
	if len(h.points) == 0 {
		return nil
	}
	slices.Reverse(h.points)
	return h
}

func newPoint(r *biomarker.Judged, unit string) point {
	p := point{result: r}
	p.from, p.to = r.Span()
	p.value, _ = r.ExactIn(unit).Float64()
	low, high := r.LimitsIn(unit)
	p.low, p.high = drawn(low), drawn(high)
	return p
}

func drawn(limit *big.Rat) *float64 {
	if limit == nil {
		return nil
	}
	n, _ := limit.Float64()
	return &n
}

// middle is where on the axis of time the result stands, in microseconds.
func (p *point) middle() float64 { return (micro(p.from) + micro(p.to)) / 2 }

func micro(at time.Time) float64 { return float64(at.UnixMicro()) }

// sameRange reports whether two results were held against the same range.
func (p *point) sameRange(other *point) bool {
	return sameLimit(p.low, other.low) && sameLimit(p.high, other.high)
}

func sameLimit(a, b *float64) bool { return a == b || a != nil && b != nil && *a == *b }

// Unit is the unit of what is drawn, as people write it; empty where none is shown.
func (h *History) Unit() string { return h.newest().result.Biomarker.DisplayOf(h.unit) }

func (h *History) newest() *point { return &h.points[len(h.points)-1] }

// Title names the chart.
func (h *History) Title() string {
	name := h.words.Name(h.newest().result.Biomarker)
	if unit := h.Unit(); unit != "" {
		return h.words.Text("results.chart.title_unit", name, unit)
	}
	return h.words.Text("results.chart.title", name)
}

// Description says in words what the chart shows.
func (h *History) Description() string {
	oldest, newest := h.points[0].result, h.newest().result
	if len(h.points) == 1 {
		return h.words.Text("results.chart.one", h.words.OneLine(newest), h.words.When(newest), h.standing(newest))
	}
	lowest, highest := h.extremes()
	return h.words.Text("results.chart.several", len(h.points), h.words.When(oldest), h.words.When(newest),
		h.words.OneLine(lowest.result), h.words.OneLine(highest.result), h.words.OneLine(newest), h.standing(newest))
}

// standing says where a result lies, and by which range.
func (h *History) standing(r *biomarker.Judged) string {
	status, limits := h.words.Status(r), h.words.Range(r)
	switch {
	case status == "" && limits == "":
		return h.words.Text("results.chart.no_range")
	case status == "":
		return h.words.Text("results.chart.range", limits)
	case limits == "":
		return status
	default:
		return h.words.Text("results.chart.status", status, limits)
	}
}

func (h *History) extremes() (lowest, highest *point) {
	lowest, highest = &h.points[0], &h.points[0]
	for i := range h.points {
		if p := &h.points[i]; p.value < lowest.value {
			lowest = p
		} else if p.value > highest.value {
			highest = p
		}
	}
	return lowest, highest
}

// Legend explains the marks that the chart has, as the keys of texts.
func (h *History) Legend() (keys []string) {
	add := func(key string) {
		if key != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	for i := range h.points {
		add(markOf(h.points[i].result).meaning)
		if h.points[i].result.Comparator != biomarker.Exactly {
			add("results.legend.beyond")
		}
	}
	slices.Sort(keys)
	return keys
}
