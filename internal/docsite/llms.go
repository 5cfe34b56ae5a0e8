package docsite

import (
	"bytes"
	"fmt"
	"net/url"
)

// overview is /llms.txt: what the documentation has, a line a page, for programs that
// read it (llmstxt.org).
func (c *contents) overview(developers *url.URL) []byte {
	var text bytes.Buffer
	start := c.order[0]
	fmt.Fprintf(&text, "# %s\n\n> %s\n\nEvery page is Markdown at its address with .md behind it, or with Accept: text/markdown. All of them in one file: %s/llms-full.txt\n", start.Title, start.Summary, developers)
	for _, s := range c.sections {
		fmt.Fprintf(&text, "\n## %s\n\n", s.Title)
		for _, e := range s.Entries {
			for _, p := range e.tabs {
				fmt.Fprintf(&text, "- [%s](%s%s): %s\n", p.Title, developers, p.sourcePath(), p.Summary)
			}
		}
	}
	return text.Bytes()
}

// everything is /llms-full.txt: all pages, one after the other, each with its address.
func (c *contents) everything(developers *url.URL) []byte {
	var text bytes.Buffer
	for _, p := range c.order {
		fmt.Fprintf(&text, "<!-- %s%s -->\n\n%s\n\n", developers, p.Path, bytes.TrimSpace(p.markdown))
	}
	return text.Bytes()
}
