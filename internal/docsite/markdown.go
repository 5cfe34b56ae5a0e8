package docsite

import (
	"bytes"
	"errors"
	"html/template"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"github.com/loop-health/loop/internal/web"
)

// writer makes pages of Markdown: CommonMark with tables. HTML in a page is left out:
// what a page can say, it says in Markdown.
type writer struct {
	markdown goldmark.Markdown
	drawings map[string]drawing
}

// newWriter makes a writer that puts the drawings, by their address, into the pages.
func newWriter(drawings map[string]drawing) writer {
	return writer{drawings: drawings, markdown: goldmark.New(
		goldmark.WithExtensions(extension.Table),
		goldmark.WithParserOptions(parser.WithAutoHeadingID()),
		goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(pageRenderer{drawings}, 1))),
	)}
}

// page renders the page in a file. Links between files become links
// between addresses, so that the files read as well in the repository.
func (w writer) page(file string, source []byte, developers *url.URL) (*page, error) {
	root := w.markdown.Parser().Parse(text.NewReader(source))
	rendered := &page{Path: pagePath(file), anchors: map[string]bool{}, markdown: absoluteLinks(file, source, developers)}
	err := ast.Walk(root, func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			rendered.takeIn(node, file, source, developers)
			rendered.takeWords(node, source)
			if image, ok := node.(*ast.Image); ok {
				rendered.links = append(rendered.links, w.drawings[string(image.Destination)].links...)
			}
		}
		return ast.WalkContinue, nil
	})
	if err == nil && rendered.Title == "" {
		err = errors.New("the page has no title")
	}
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	if err := w.markdown.Renderer().Render(&body, source, root); err != nil {
		return nil, err
	}
	rendered.Body = template.HTML(body.String()) //nolint:gosec // G203: our own embedded Markdown, rendered without raw HTML
	return rendered, nil
}

// takeIn notes what the page offers, and resolves where it leads.
func (p *page) takeIn(node ast.Node, file string, source []byte, developers *url.URL) {
	switch node := node.(type) {
	case *ast.Heading:
		if id, ok := node.AttributeString("id"); ok {
			p.anchors[string(id.([]byte))] = true //nolint:forcetypeassert // goldmark's own
		}
		if node.Level == 1 && p.Title == "" {
			p.Title = plainText(node, source)
		}
	case *ast.Link:
		node.Destination = p.resolve(node.Destination, file, developers)
	case *ast.Image:
		node.Destination = p.resolve(node.Destination, file, developers)
	}
}

// resolve turns a link in a file into an address of this host, and notes those
// that lead to other pages. What leads elsewhere stays as it is.
func (p *page) resolve(destination []byte, file string, developers *url.URL) []byte {
	link := string(destination)
	if rest, ours := strings.CutPrefix(link, developers.String()+"/"); ours {
		return []byte("/" + rest)
	}
	if strings.Contains(link, ":") {
		return destination
	}
	name, anchor, hasAnchor := strings.Cut(link, "#")
	target := p.Path
	if name != "" {
		target = path.Join(web.DocumentationPath, path.Dir(file), name)
		if path.Ext(name) == ".md" {
			target = pagePath(path.Join(path.Dir(file), name))
		}
	}
	if hasAnchor {
		target += "#" + anchor
	}
	p.links = append(p.links, target)
	return []byte(target)
}

// plainText is the text of a node without its markup.
func plainText(node ast.Node, source []byte) string {
	var plain strings.Builder
	_ = ast.Walk(node, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // the walker returns no error
		if leaf, ok := n.(*ast.Text); ok && entering {
			plain.Write(leaf.Value(source))
			if leaf.SoftLineBreak() {
				plain.WriteByte(' ')
			}
		}
		return ast.WalkContinue, nil
	})
	return plain.String()
}

// pageRenderer renders what differs from plain CommonMark: headings that can be
// linked to, code that says where it comes from, tables that scroll by themselves,
// drawings that are part of the page.
type pageRenderer struct{ drawings map[string]drawing }

// RegisterFuncs registers the four kinds of nodes with goldmark.
func (r pageRenderer) RegisterFuncs(registry renderer.NodeRendererFuncRegisterer) {
	registry.Register(ast.KindHeading, renderHeading)
	registry.Register(ast.KindFencedCodeBlock, renderCode)
	registry.Register(extast.KindTable, renderTable)
	registry.Register(ast.KindImage, r.renderImage)
}

func renderHeading(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	heading := node.(*ast.Heading) //nolint:forcetypeassert // registered for headings alone
	tag := "h" + strconv.Itoa(heading.Level)
	id, _ := heading.AttributeString("id")
	name, _ := id.([]byte)
	switch {
	case entering:
		_, _ = w.WriteString("<" + tag + ` id="` + string(name) + `">`)
	case heading.Level == 1:
		_, _ = w.WriteString("</" + tag + ">\n")
	default:
		_, _ = w.WriteString(`<a class="anchor" href="#` + string(name) + `" aria-label="Link to this part">#</a></` + tag + ">\n")
	}
	return ast.WalkContinue, nil
}

// copying marks the languages that one copies: what is typed, and what is a part
// of a program. Answers and drawings are to be read.
var copying = map[string]string{
	"sh": ` data-copy="the commands"`, "go": ` data-copy="the code"`, "python": ` data-copy="the code"`,
	"js": ` data-copy="the code"`, "java": ` data-copy="the code"`, "sql": ` data-copy="the code"`,
	"yaml": ` data-copy="the configuration"`, "toml": ` data-copy="the configuration"`,
}

// renderCode renders a fenced block. The word after the fence is its language;
// what follows it names the file that the code is from.
func renderCode(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	block := node.(*ast.FencedCodeBlock) //nolint:forcetypeassert // registered for fenced blocks alone
	var language, origin string
	if block.Info != nil {
		language, origin, _ = strings.Cut(string(block.Info.Value(source)), " ")
	}
	if file, _, _ := strings.Cut(origin, "#"); file != "" {
		_, _ = w.WriteString(`<p class="snippet">` + template.HTMLEscapeString(file) + "</p>\n")
	}
	var code bytes.Buffer
	for i := range block.Lines().Len() {
		line := block.Lines().At(i)
		code.Write(line.Value(source))
	}
	_, _ = w.WriteString(`<pre tabindex="0"><code` + copying[language] + `>` + highlight(language, code.String()) + "</code></pre>\n")
	return ast.WalkSkipChildren, nil
}

func renderTable(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		_, _ = w.WriteString(`<div class="scroll"><table>` + "\n")
	} else {
		_, _ = w.WriteString("</table></div>\n")
	}
	return ast.WalkContinue, nil
}
