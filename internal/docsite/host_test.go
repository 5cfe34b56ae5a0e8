package docsite_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/docsite"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

const developers = platformtest.Developers

func TestEachPageIsMarkdownToo(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	overview := p.NewBrowser(t).Get(developers + "/llms.txt").Text
	links := regexp.MustCompile(`\]\((https?://[^)]+)\)`)
	listed := links.FindAllStringSubmatch(overview, -1)
	if !strings.HasPrefix(overview, "# Connect with Loop\n\n> ") || len(listed) < 25 {
		t.Fatalf("the overview lists %d pages:\n%s", len(listed), overview)
	}
	everything := p.NewBrowser(t).Get(developers + "/llms-full.txt").Text
	b, linked := p.NewBrowser(t), map[string]bool{}
	for _, link := range listed {
		r := b.Get(link[1])
		if kind := r.Header.Get("Content-Type"); r.StatusCode != http.StatusOK || kind != "text/markdown; charset=utf-8" || !strings.HasPrefix(r.Text, "# ") {
			t.Errorf("%s is answered with %d, %s", link[1], r.StatusCode, kind)
		}
		if !strings.Contains(everything, strings.TrimSpace(r.Text)) {
			t.Errorf("/llms-full.txt lacks %s", link[1])
		}
		for _, further := range links.FindAllStringSubmatch(r.Text, -1) {
			if address, _, _ := strings.Cut(further[1], "#"); strings.HasPrefix(address, developers+"/docs") {
				linked[address] = true
			}
		}
	}
	for address := range linked {
		if r := b.Get(address); r.StatusCode != http.StatusOK {
			t.Errorf("a page's Markdown links to %s, which is answered with %d", address, r.StatusCode)
		}
	}
}

func TestAPageIsAnsweredInTheFormThatItsReaderPrefers(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	for accept, kind := range map[string]string{
		"": "text/html", "*/*": "text/html", "text/html,application/xhtml+xml,*/*;q=0.8": "text/html", "image/png": "text/html",
		"text/markdown": "text/markdown", "text/markdown, text/html;q=0.9": "text/markdown", "text/html, text/markdown;q=0.9": "text/html",
	} {
		r := p.Fetch(t, http.MethodGet, developers+"/docs/scopes", http.Header{"Accept": {accept}})
		if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != kind+"; charset=utf-8" || r.Header.Get("Vary") != "Accept" {
			t.Errorf("Accept: %s is answered with %d %v", accept, r.StatusCode, r.Header)
		}
	}
}

func TestSearchPage(t *testing.T) {
	t.Parallel()
	b := platformtest.New(t).NewBrowser(t)
	search := func(query string) *platformtest.Response {
		return b.Get(developers + docsite.SearchPath + "?" + url.Values{"q": {query}}.Encode())
	}
	if r := search("invalid_grant"); r.StatusCode != http.StatusOK || !strings.Contains(r.Text, `<li><a href="/docs/errors/invalid_grant">invalid_grant</a>`) || !strings.Contains(r.Text, "<mark>") {
		t.Errorf("an error's code: %d %s", r.StatusCode, r.Text)
	}
	if r := search("zzzzzzqqq"); r.StatusCode != http.StatusOK || !strings.Contains(r.Text, "0 parts found") {
		t.Errorf("nothing to find: %d %s", r.StatusCode, r.Text)
	}
	if r := search(strings.Repeat("ä", 101)); r.StatusCode != http.StatusBadRequest || !strings.Contains(r.Text, "100 letters at most") {
		t.Errorf("a search that is too long: %d", r.StatusCode)
	}
	if r := b.Get(developers + docsite.SearchPath + "?q=%ff%00%3Cscript%3E"); r.StatusCode != http.StatusOK || strings.Contains(r.Text, "<script>") {
		t.Errorf("markup and bytes that are no text: %d %s", r.StatusCode, r.Text)
	}
}

func TestTheCatalogueNamesWhatIsThere(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	r := p.Fetch(t, http.MethodGet, developers+docsite.CataloguePath, nil)
	if r.Header.Get("Content-Type") != `application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"` || r.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("RFC 9727 §4: %v", r.Header)
	}
	head := p.Fetch(t, http.MethodHead, developers+docsite.CataloguePath, nil)
	if head.StatusCode != http.StatusOK || head.Header.Get("Link") != "<"+developers+docsite.CataloguePath+`>; rel="api-catalog"` {
		t.Errorf("RFC 9727 §3.1, HEAD: %d %v", head.StatusCode, head.Header)
	}
	var catalogue struct {
		Linkset []map[string]json.RawMessage `json:"linkset"`
	}
	if err := json.Unmarshal([]byte(r.Text), &catalogue); err != nil || len(catalogue.Linkset) < 4 {
		t.Fatalf("%v %s", err, r.Text)
	}
	for _, context := range catalogue.Linkset {
		for relation, value := range context {
			var targets []struct{ Href, Type string }
			if relation == "anchor" || relation == "item" {
				continue
			}
			if err := json.Unmarshal(value, &targets); err != nil {
				t.Fatal(err)
			}
			for _, target := range targets {
				r := p.Fetch(t, http.MethodGet, target.Href, nil)
				if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); r.StatusCode != http.StatusOK || kind != target.Type {
					t.Errorf("%s %s is answered with %d %s, not %s", relation, target.Href, r.StatusCode, kind, target.Type)
				}
			}
		}
	}
}
