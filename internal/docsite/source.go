package docsite

import (
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/loop-health/loop/internal/web"
)

// markdownType is the media type of a page's source (RFC 7763).
const markdownType = "text/markdown"

// sourcePath is where a page is as Markdown.
func (p *page) sourcePath() string { return p.Path + ".md" }

// fence begins or ends a block of code.
var fence = regexp.MustCompile("^(```|~~~)")

// linkTarget is where a link of Markdown leads, or an image.
var linkTarget = regexp.MustCompile(`\]\(([^()\s]+)\)`)

// absoluteLinks makes the links between files links to addresses, for readers who have
// the Markdown of one page alone.
func absoluteLinks(file string, source []byte, developers *url.URL) []byte {
	lines := strings.Split(string(source), "\n")
	inCode := false
	for i, line := range lines {
		if fence.MatchString(line) {
			inCode = !inCode
		}
		if !inCode {
			lines[i] = linkTarget.ReplaceAllStringFunc(line, func(link string) string {
				return "](" + absolute(file, link[2:len(link)-1], developers) + ")"
			})
		}
	}
	return []byte(strings.Join(lines, "\n"))
}

// absolute is the address of what a file links to, of pages that of their Markdown.
func absolute(file, link string, developers *url.URL) string {
	if strings.Contains(link, ":") {
		return link
	}
	name, anchor, hasAnchor := strings.Cut(link, "#")
	target := path.Join(web.DocumentationPath, path.Dir(file), name)
	switch {
	case name == "":
		target = pagePath(file) + ".md"
	case path.Ext(name) == ".md":
		target = pagePath(path.Join(path.Dir(file), name)) + ".md"
	}
	if hasAnchor {
		target += "#" + anchor
	}
	return developers.String() + target
}

// asMarkdown answers with the source of a page.
func (p *page) asMarkdown(w http.ResponseWriter, _ *http.Request) error {
	writeText(w, markdownType, p.markdown)
	return nil
}

// writeText answers with a text that is the same for everybody.
func writeText(w http.ResponseWriter, kind string, text []byte) {
	w.Header().Set("Content-Type", kind+"; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=300")
	_, _ = w.Write(text) // an error means that the reader has gone
}

// wantsMarkdown reports whether the request prefers the source to the page.
func wantsMarkdown(r *http.Request) bool {
	kind, err := web.Negotiate(r, "text/html", markdownType)
	return err == nil && kind == markdownType
}
