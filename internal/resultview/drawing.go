package resultview

import (
	"html"
	"strconv"
	"strings"
)

// drawing is SVG as it grows. Across, places are in per cent of the width, so that text
// keeps its size on a screen of any width; down, they are in pixels.
type drawing struct{ svg []byte }

// String is what was drawn.
func (d *drawing) String() string { return string(d.svg) }

// raw adds what is SVG already.
func (d *drawing) raw(svg string) { d.svg = append(d.svg, svg...) }

// begin begins a drawing. Its class has the stylesheet colour it.
func (d *drawing) begin(class string, attributes ...string) {
	d.open("svg", append([]string{"class", class, "direction", "ltr"}, attributes...)...)
}

// open begins an element with attributes, each a name and its value.
func (d *drawing) open(element string, attributes ...string) { d.tag(element, attributes, ">") }

func (d *drawing) close(element string) { d.raw("</" + element + ">") }

// put writes an element that holds nothing.
func (d *drawing) put(element string, attributes ...string) { d.tag(element, attributes, "/>") }

func (d *drawing) tag(element string, attributes []string, end string) {
	d.raw("<" + element)
	for i := 0; i+1 < len(attributes); i += 2 {
		d.raw(" " + attributes[i] + `="` + html.EscapeString(attributes[i+1]) + `"`)
	}
	d.raw(end)
}

// say writes an element that holds text.
func (d *drawing) say(element, text string, attributes ...string) {
	d.open(element, attributes...)
	d.raw(html.EscapeString(text))
	d.close(element)
}

// line draws a straight line.
func (d *drawing) line(class string, x1, y1, x2, y2 float64) {
	d.put("line", "class", class, "x1", percent(x1), "y1", pixels(y1), "x2", percent(x2), "y2", pixels(y2))
}

// area fills a rectangle.
func (d *drawing) area(x1, y1, x2, y2 float64, attributes ...string) {
	d.put("rect", append([]string{"class", "band", "x", percent(x1), "y", pixels(y1), "width", percent(x2 - x1), "height", pixels(y2 - y1)}, attributes...)...)
}

// write writes text at a place; anchor says which part of it is there: start, middle or
// end.
func (d *drawing) write(class, anchor string, x, y float64, text string) {
	d.say("text", text, "class", class, "x", percent(x), "y", pixels(y), "text-anchor", anchor, "stroke", "none")
}

// shape draws a path around a place.
func (d *drawing) shape(class string, x, y float64, path string) {
	d.open("svg", "x", percent(x), "y", pixels(y), "overflow", "visible")
	d.put("path", "class", class, "d", path)
	d.close("svg")
}

func percent(n float64) string { return short(n) + "%" }
func pixels(n float64) string  { return short(n) }

func short(n float64) string {
	text := strconv.FormatFloat(n, 'f', 2, 64)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
