package resultview

import (
	"html/template"

	"github.com/loop-health/loop/internal/biomarker"
)

// The gauge's measures: down in pixels, across in per cent. A range with two limits
// takes up its middle half, one with a single limit two thirds.
const (
	gaugeMiddle = 10
	gaugeHalf   = 4
	gaugeEdge   = 3.0
	oneLimit    = 66.0
)

// Gauge draws a result on the range that it was held against, for the eye alone: beside
// it stands in words what it shows. Empty where there is no number or no range.
func Gauge(r *biomarker.Judged) template.HTML {
	if !r.Value.Present() {
		return ""
	}
	p := newPoint(r, r.Unit)
	from, to, at, ok := p.onGauge()
	if !ok {
		return ""
	}
	var d drawing
	d.begin("gauge", "aria-hidden", "true")
	d.line("track", 0, gaugeMiddle, 100, gaugeMiddle)
	d.area(from, gaugeMiddle-gaugeHalf, to, gaugeMiddle+gaugeHalf)
	markOf(r).draw(&d, min(max(at, gaugeEdge), 100-gaugeEdge), gaugeMiddle)
	d.close("svg")
	return template.HTML(d.String()) //nolint:gosec // G203: drawing escapes what it writes
}

// onGauge gives where the range lies, and where in its proportions the value does.
func (p *point) onGauge() (from, to, at float64, ok bool) {
	switch {
	case p.low != nil && p.high != nil && *p.low < *p.high:
		return 25, 75, 25 + 50*(p.value-*p.low)/(*p.high-*p.low), true
	case p.low == nil && p.high != nil && *p.high > 0:
		return 0, oneLimit, oneLimit * p.value / *p.high, true
	case p.high == nil && p.low != nil && *p.low > 0:
		return 100 - oneLimit, 100, (100 - oneLimit) * p.value / *p.low, true
	default:
		return 0, 0, 0, false
	}
}
