package main

import (
	"encoding/xml"
	"fmt"
	"os"
	"strings"
)

// Measures of the chart, in pixels.
const (
	chartWidth = 720
	labelWidth = 190
	barHeight  = 12
	barGap     = 3
	groupGap   = 14
	headHeight = 56
	fullBar    = chartWidth - labelWidth - 60 // of 100 %
)

// chartStyle follows the reader's light or dark.
const chartStyle = `
text { font: 13px system-ui, sans-serif; fill: #1f2933 } .small { font-size: 11px } .one { fill: #9fb3c8 } .some { fill: #4098d7 } .many { fill: #0b5394 } .rule { stroke: #cbd2d9 }
@media (prefers-color-scheme: dark) { text { fill: #f5f7fa } .one { fill: #627d98 } .some { fill: #4098d7 } .many { fill: #a0d8f7 } .rule { stroke: #52606d } }
`

// writeChart draws each result as its share of its ceiling: a bar for each
// concurrency, in groups by engine and name.
func writeChart(path string, results []result) error {
	var body strings.Builder
	y, group := headHeight, ""
	for i := range results {
		r := &results[i]
		if r.Peer != "" {
			continue
		}
		if name := r.Name + ", " + r.Engine; name != group {
			group, y = name, y+groupGap
			fmt.Fprintf(&body, "<text x=\"0\" y=\"%d\">%s</text>\n", y+barHeight, escaped(name))
		}
		length := min(r.Ratio, 1) * fullBar
		fmt.Fprintf(&body, "<rect class=%q x=\"%d\" y=\"%d\" width=\"%.0f\" height=\"%d\"/>\n", barClass(r.Concurrency), labelWidth, y, length, barHeight)
		fmt.Fprintf(&body, "<text class=\"small\" x=\"%.0f\" y=\"%d\">%.0f %%</text>\n", labelWidth+length+6, y+barHeight-2, 100*r.Ratio)
		y += barHeight + barGap
	}
	var chart strings.Builder
	fmt.Fprintf(&chart, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\">\n<title>Requests per second, as a share of the ceiling</title>\n<style>%s</style>\n", chartWidth, y+groupGap, chartStyle)
	fmt.Fprintf(&chart, "<text x=\"0\" y=\"16\">Requests per second, as a share of the same machine's ceiling</text>\n<text class=\"small\" x=\"0\" y=\"36\">%s; bars: 1, 16, 64 requests at a time</text>\n", escaped(machine()))
	for _, share := range []int{0, 50, 100} {
		x := labelWidth + share*fullBar/100
		fmt.Fprintf(&chart, "<line class=\"rule\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>\n", x, x, headHeight, y)
	}
	chart.WriteString(body.String() + "</svg>\n")
	return os.WriteFile(path, []byte(chart.String()), 0o644)
}

func barClass(concurrency int) string {
	switch {
	case concurrency == 1:
		return "one"
	case concurrency <= 16:
		return "some"
	default:
		return "many"
	}
}

func escaped(text string) string {
	var out strings.Builder
	_ = xml.EscapeText(&out, []byte(text)) // a strings.Builder takes everything
	return out.String()
}
