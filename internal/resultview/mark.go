package resultview

import "github.com/loop-health/loop/internal/biomarker"

// mark is how a value is drawn. Where it lies shows in its shape, not in its colour
// alone.
type mark struct {
	class, path string // without a path: a circle
	meaning     string // the key of the text that explains it; empty: it needs none
}

func (m mark) draw(d *drawing, x, y float64) {
	if m.path == "" {
		d.put("circle", "class", "mark "+m.class, "cx", percent(x), "cy", pixels(y), "r", "4.5")
		return
	}
	d.shape("mark "+m.class, x, y, m.path)
}

// markOf gives the mark of a status.
func markOf(r *biomarker.Judged) mark {
	switch r.Status {
	case biomarker.Normal:
		return mark{"within", "", ""}
	case biomarker.High:
		return mark{"out", "M-6.5 5L0-7L6.5 5z", "results.legend.high"}
	case biomarker.Low:
		return mark{"out", "M-6.5-5L0 7L6.5-5z", "results.legend.low"}
	case biomarker.Critical:
		return mark{"critical", "M0-8.5L8.5 0L0 8.5L-8.5 0z", "results.legend.critical"}
	default:
		return mark{"unjudged", "M-4-4h8v8h-8z", "results.legend.unjudged"}
	}
}

// Arrows beside a mark.
const (
	arrowDown = "M0 10V24M-4 19L0 24L4 19"
	arrowUp   = "M0-10V-24M-4-19L0-24L4-19"
)

// arrowOf gives an arrow to the side on which a value lies that is not exact.
func arrowOf(c biomarker.Comparator) string {
	switch c {
	case biomarker.Below, biomarker.AtMost:
		return arrowDown
	case biomarker.Above, biomarker.AtLeast:
		return arrowUp
	default:
		return ""
	}
}
