package resultview

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"strconv"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/web/asset"
)

// The chart's measures: down in pixels, across in per cent.
const (
	chartHeight = 250
	plotTop     = 40
	plotBottom  = 210
	plotLeft    = 16.0
	plotRight   = 94.0
	dateLine    = 236 // of the dates below
)

// Inline is the chart as part of a page, whose stylesheet colours it. A page has one.
func (h *History) Inline() template.HTML {
	return template.HTML(h.svg("")) //nolint:gosec // G203: drawing escapes what it writes
}

// SVG is the chart as a document of its own.
func (h *History) SVG() []byte {
	return []byte(h.svg("<style>"+asset.ChartStyle()+"</style>",
		"xmlns", "http://www.w3.org/2000/svg", "lang", h.words.Tag, "width", "640", "height", strconv.Itoa(chartHeight), "font-family", "system-ui, sans-serif"))
}

// ChartPolicy is the Content-Security-Policy of a chart that is a document of its own:
// it loads nothing, and has its own style alone.
func ChartPolicy() string {
	sum := sha256.Sum256([]byte(asset.ChartStyle()))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
}

func (h *History) svg(style string, attributes ...string) string {
	var d drawing
	d.begin("history", append([]string{"role", "img", "aria-labelledby", "history-title history-desc", "fill", "currentColor", "stroke", "currentColor"}, attributes...)...)
	d.say("title", h.Title(), "id", "history-title")
	d.say("desc", h.Description(), "id", "history-desc")
	d.raw(style)
	p := h.newPlot()
	p.bands(&d)
	p.grid(&d)
	p.curve(&d)
	p.marks(&d)
	p.labels(&d)
	d.close("svg")
	return d.String()
}

// plot is a chart with its axes.
type plot struct {
	*History
	across, down axis
}

func (h *History) newPlot() plot {
	var times, numbers []float64
	for i := range h.points {
		p := &h.points[i]
		times = append(times, micro(p.from), micro(p.to))
		numbers = append(numbers, p.value)
		for _, limit := range []*float64{p.low, p.high} {
			if limit != nil {
				numbers = append(numbers, *limit)
			}
		}
	}
	return plot{h, newAxis(times, 0, plotLeft, plotRight), newAxis(numbers, 0.1, plotBottom, plotTop)}
}

// bands draws the range that each result was held against, from half-way to the one
// before it to half-way to the next.
func (p plot) bands(d *drawing) {
	left := 0.0
	for i := range p.points {
		right := 100.0
		if i+1 < len(p.points) {
			if p.points[i].sameRange(&p.points[i+1]) {
				continue
			}
			right = p.across.at((p.points[i].middle() + p.points[i+1].middle()) / 2)
		}
		p.band(d, &p.points[i], left, right)
		left = right
	}
}

func (p plot) band(d *drawing, of *point, left, right float64) {
	if of.low == nil && of.high == nil {
		return
	}
	top, bottom := float64(plotTop), float64(plotBottom)
	if of.high != nil {
		top = p.down.at(*of.high)
		d.line("limit", left, top, right, top)
	}
	if of.low != nil {
		bottom = p.down.at(*of.low)
		d.line("limit", left, bottom, right, bottom)
	}
	d.area(left, top, right, bottom, "stroke", "none", "fill-opacity", ".15")
}

// grid draws lines at round numbers.
func (p plot) grid(d *drawing) {
	for _, tick := range p.down.ticks() {
		d.line("grid", 0, tick.at, 100, tick.at)
		d.write("tick", "start", 0, tick.at-3, p.words.Decimal(tick.text))
	}
}

// curve joins results that follow each other and are exact: what is below 5 lies at no
// known place.
func (p plot) curve(d *drawing) {
	for i := 1; i < len(p.points); i++ {
		a, b := &p.points[i-1], &p.points[i]
		if a.result.Comparator == biomarker.Exactly && b.result.Comparator == biomarker.Exactly {
			d.line("curve", p.across.at(a.middle()), p.down.at(a.value), p.across.at(b.middle()), p.down.at(b.value))
		}
	}
}

// marks draws the results, and how much of the axis of time the date of each stands
// for.
func (p plot) marks(d *drawing) {
	for i := range p.points {
		of := &p.points[i]
		x, y := p.across.at(of.middle()), p.down.at(of.value)
		if from, to := p.across.at(micro(of.from)), p.across.at(micro(of.to)); to > from {
			d.line("span", from, y, to, y)
		}
		if arrow := arrowOf(of.result.Comparator); arrow != "" {
			d.shape("arrow", x, y, arrow)
		}
		d.open("g")
		d.say("title", p.words.When(of.result)+": "+p.words.OneLine(of.result)) // where a pointer rests on it
		markOf(of.result).draw(d, x, y)
		d.close("g")
	}
}

// labels writes the newest value at its mark, and the dates of the first and the last
// below.
func (p plot) labels(d *drawing) {
	first, last := &p.points[0], p.newest()
	x, anchor := p.across.at(last.middle()), "end"
	if first.middle() == last.middle() {
		anchor = "middle"
		d.write("date", anchor, x, dateLine, p.words.shortWhen(last.result))
	} else {
		d.write("date", "start", p.across.at(micro(first.from)), dateLine, p.words.shortWhen(first.result))
		d.write("date", anchor, p.across.at(micro(last.to)), dateLine, p.words.shortWhen(last.result))
		x = plotRight + 3
	}
	d.write("newest", anchor, x, p.besideNewest(), p.words.OneLine(last.result))
	d.write("unit", "start", 0, 14, p.Unit())
}

// besideNewest is where the newest value is written: above its mark, or below where the
// curve, or an arrow, is above.
func (p plot) besideNewest() float64 {
	last := p.newest()
	y := p.down.at(last.value)
	falling := len(p.points) > 1 && p.points[len(p.points)-2].value > last.value
	arrow := arrowOf(last.result.Comparator)
	if arrow == arrowUp || falling && arrow != arrowDown {
		return y + 24
	}
	return y - 14
}
