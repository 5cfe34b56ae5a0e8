package docsite

import (
	"html/template"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/util"

	"github.com/loop-health/loop/internal/web"
)

// drawing is an SVG file of ours. It becomes a part of the page that shows it, so that
// it has the page's colours and its links work.
type drawing struct {
	svg   string
	links []string
}

// drawnLink is a link within a drawing.
var drawnLink = regexp.MustCompile(`<a href="([^"]+)"`)

// readDrawings reads the drawings, by the address that pages know them under.
func readDrawings(files fs.FS) (map[string]drawing, error) {
	names, err := fs.Glob(files, "*.svg")
	if err != nil {
		return nil, err
	}
	drawings := map[string]drawing{}
	for _, name := range names {
		svg, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		d := drawing{svg: strings.TrimSpace(string(svg))}
		for _, link := range drawnLink.FindAllStringSubmatch(d.svg, -1) {
			d.links = append(d.links, link[1])
		}
		drawings[path.Join(web.DocumentationPath, name)] = d
	}
	return drawings, nil
}

// renderImage puts a drawing into the page, and refers to any other image. A wide
// drawing scrolls by itself, by keyboard too.
func (r pageRenderer) renderImage(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	image := node.(*ast.Image) //nolint:forcetypeassert // registered for images alone
	alt := template.HTMLEscapeString(plainText(image, source))
	if d, ok := r.drawings[string(image.Destination)]; ok {
		_, _ = w.WriteString(`<span class="drawing" role="group" tabindex="0" aria-label="` + alt + `">` + d.svg + "</span>")
	} else {
		_, _ = w.WriteString(`<img src="` + template.HTMLEscapeString(string(image.Destination)) + `" alt="` + alt + `">`)
	}
	return ast.WalkSkipChildren, nil
}
