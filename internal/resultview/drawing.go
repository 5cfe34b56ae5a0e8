package resultview

import (
	"html"
	"strconv"
	"strings"
)

// drawing is SVG as it grows. Across, places are in per cent of the width, so that text
// keeps its size on a screen of any width; down, they are in pixels.
type drawing struct{ strings.Builder }

// open begins an element with attributes, each a name and its value.
func (d *drawing) open(element string, attributes ...string) {
	d.WriteString("<" + element)
	for i := 0; i+1 < len(attributes); i += 2 {
		d.WriteString(" " + attributes[i] + `="` + html.EscapeString(attributes[i+1]) + `"`)
	}
	d.WriteString(">")
}

func (d *drawing) close(element string) { d.WriteString("</" + element + ">") }

// put writes an element that holds nothing.
func (d *drawing) put(element string, attributes ...string) {
	d.open(element, attributes...)
	d.close(element)
}

// say writes an element that holds text.
func (d *drawing) say(element, text string, attributes ...string) {
	d.open(element, attributes...)
	d.WriteString(html.EscapeString(text))
	d.close(element)
}

// line draws a straight line.
func (d *drawing) line(class string, x1, y1, x2, y2 float64) {
	d.put("line", "class", class, "x1", percent(x1), "y1", pixels(y1), "x2", percent(x2), "y2", pixels(y2), "stroke", "currentColor")
}

// area fills a rectangle.
func (d *drawing) area(class string, x1, y1, x2, y2 float64) {
	d.put("rect", "class", class, "x", percent(x1), "y", pixels(y1), "width", percent(x2-x1), "height", pixels(y2-y1), "fill", "currentColor", "fill-opacity", "0.15")
}

// write writes text at a place; anchor says which part of it is there: start, middle or
// end.
func (d *drawing) write(class, anchor string, x, y float64, text string) {
	d.say("text", text, "class", class, "x", percent(x), "y", pixels(y), "text-anchor", anchor, "fill", "currentColor")
}

// shape draws a path around a place.
func (d *drawing) shape(class string, x, y float64, title, path string) {
	d.open("svg", "x", percent(x), "y", pixels(y), "width", "1", "height", "1", "overflow", "visible")
	d.open("path", "class", class, "d", path, "stroke", "currentColor", "fill", "currentColor")
	if title != "" {
		d.say("title", title)
	}
	d.close("path")
	d.close("svg")
}

func percent(n float64) string { return short(n) + "%" }
func pixels(n float64) string  { return short(n) }

func short(n float64) string {
	text := strconv.FormatFloat(n, 'f', 2, 64)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
