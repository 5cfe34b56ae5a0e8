package docsite

import (
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
)

// takeWords adds what a node says to the passages by which the page is found.
func (p *page) takeWords(node ast.Node, source []byte) {
	switch node := node.(type) {
	case *ast.Heading:
		p.begin(node, source)
	case *ast.Paragraph, *ast.TextBlock:
		line := plainText(node, source)
		if p.Summary == "" {
			p.Summary = line
		}
		p.line(line)
	case *extast.TableRow, *extast.TableHeader:
		p.line(cells(node, source))
	case *ast.FencedCodeBlock:
		for i := range node.Lines().Len() {
			at := node.Lines().At(i)
			p.line(strings.TrimSpace(string(at.Value(source))))
		}
	}
}

// begin begins a passage at a heading. What follows the title belongs to the page as a
// whole.
func (p *page) begin(node *ast.Heading, source []byte) {
	begun := &passage{page: p}
	if id, ok := node.AttributeString("id"); ok && node.Level > 1 {
		begun.anchor = string(id.([]byte)) //nolint:forcetypeassert // goldmark's own
		begun.heading = plainText(node, source)
	}
	if node.Level == 2 {
		p.Parts = append(p.Parts, heading{begun.heading, begun.anchor})
	}
	p.passages = append(p.passages, begun)
}

func (p *page) line(text string) {
	if text == "" || len(p.passages) == 0 {
		return
	}
	last := p.passages[len(p.passages)-1]
	last.lines = append(last.lines, text)
}

// cells is a row of a table as one line.
func cells(row ast.Node, source []byte) string {
	var texts []string
	for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
		texts = append(texts, plainText(cell, source))
	}
	return strings.Join(texts, " · ")
}
