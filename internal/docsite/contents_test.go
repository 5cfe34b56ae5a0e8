package docsite

import (
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/loop-health/loop/docs"
)

// renderFiles renders files of the test with the listed ones in the contents.
func renderFiles(t *testing.T, files map[string]string, listed ...string) (*contents, error) {
	t.Helper()
	embedded := fstest.MapFS{}
	for name, text := range files {
		embedded[name] = &fstest.MapFile{Data: []byte(text)}
	}
	host := func(name string) *url.URL { return &url.URL{Scheme: "https", Host: name + ".example.com"} }
	var entries []docs.Entry
	for _, file := range listed {
		entries = append(entries, docs.Entry{Pages: []docs.Tab{{File: file}}})
	}
	return render(embedded, []docs.Section{{Title: "All", Entries: entries}}, addresses{
		identity: host("identity"), clinical: host("clinical"), developers: host("developers"),
	})
}

func TestRender_ReportsEveryFault(t *testing.T) {
	t.Parallel()
	_, err := renderFiles(t, map[string]string{
		"a.md": "# A\n\n[gone](gone.md) [part](b.md#nowhere) [picture](gone.png)\n",
		"b.md": "# B\n\n[back](a.md)\n",
	}, "a", "b", "missing")
	if err == nil {
		t.Fatal("nothing was reported")
	}
	for _, fault := range []string{
		"/docs/a links to /docs/gone,", "/docs/a links to /docs/b#nowhere,", "/docs/a links to /docs/gone.png,",
		"the contents name docs/missing.md,",
	} {
		if !strings.Contains(err.Error(), fault) {
			t.Errorf("%q is not reported in:\n%v", fault, err)
		}
	}
	if _, err := renderFiles(t, map[string]string{"c.md": "no title\n"}, "c"); err == nil || !strings.Contains(err.Error(), "docs/c.md: the page has no title") {
		t.Errorf("a page without a title: %v", err)
	}
}

func TestRender_ResolvesLinksAndNamesTheHostsAsConfigured(t *testing.T) {
	t.Parallel()
	c, err := renderFiles(t, map[string]string{
		"index.md":        "# Start\n\n[errors](errors/index.md) [one](errors/one.md#what-to-do) ![shot](shot.png)\n\nhttps://identity.platform.loop.health/x <b>raw</b>\n",
		"errors/index.md": "# Errors\n\n[start](../index.md) [apps](https://developers.platform.loop.health/apps)\n",
		"errors/one.md":   "# One\n\n## What to do\n",
		"shot.png":        "an image",
	}, "index", "errors/index")
	if err != nil {
		t.Fatal(err)
	}
	for address, parts := range map[string][]string{
		"/docs":        {`href="/docs/errors"`, `href="/docs/errors/one#what-to-do"`, `src="/docs/shot.png"`, "https://identity.example.com/x"},
		"/docs/errors": {`href="/docs"`, `href="/apps"`},
	} {
		page, ok := c.pages[address]
		if !ok {
			t.Fatalf("there is no page %s", address)
		}
		for _, part := range parts {
			if !strings.Contains(string(page.Body), part) {
				t.Errorf("%s lacks %s:\n%s", address, part, page.Body)
			}
		}
		if strings.Contains(string(page.Body), "<b>") {
			t.Errorf("%s shows HTML of its source: %s", address, page.Body)
		}
	}
}
