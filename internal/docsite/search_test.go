package docsite

import (
	"net/url"
	"strings"
	"testing"

	"github.com/loop-health/loop/docs"
)

// documentation renders the real pages.
func documentation(t *testing.T) *contents {
	t.Helper()
	host := func(name string) *url.URL { return &url.URL{Scheme: "https", Host: name + ".example.com"} }
	c, err := render(docs.Files, docs.Contents(), addresses{
		identity: host("identity"), clinical: host("clinical"), developers: host("developers"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSearch_WhatDevelopersLookForComesFirst(t *testing.T) {
	t.Parallel()
	ix := documentation(t).index()
	for query, want := range map[string]string{
		"invalid_grant":           "/docs/errors/invalid_grant",
		"Invalid_Grant":           "/docs/errors/invalid_grant",
		"invalid grant":           "/docs/errors/invalid_grant",
		"refresh token":           "/docs/tokens",
		"how to refresh a token":  "/docs/tokens",
		"redirect uris":           "/docs/security#redirect-uris",
		"rate limit":              "/docs/limits",
		"read:biomarkers":         "/docs/",
		"flask":                   "/docs/quickstart-python",
		"spring boot":             "/docs/quickstart-spring",
		"FHIR":                    "/docs/fhir",
		"code verifer":            "/docs/", // a letter left out
		"authorisation":           "/docs/authorization-flow",
		"biomakrer":               "/docs/", // two letters exchanged
		"dpop":                    "/docs/",
		"what production needs":   "/docs/production",
		"loop dev":                "/docs/loop-dev",
		"can't refresh: it’s 400": "/docs/",
	} {
		results := ix.results(query)
		if len(results) == 0 || !strings.HasPrefix(results[0].Path, want) {
			t.Errorf("%q finds %v first, not %s", query, first(results), want)
		}
	}
}

func first(results []result) string {
	if len(results) == 0 {
		return "nothing"
	}
	return results[0].Path
}

func TestSearch_ShowsTheHeadingAndTheLineWithTheWordsMarked(t *testing.T) {
	t.Parallel()
	results := documentation(t).index().results("loopback port")
	if len(results) == 0 {
		t.Fatal("nothing is found")
	}
	for _, r := range results {
		marked := false
		length := 0
		for _, p := range r.Line {
			marked = marked || p.Marked
			length += len(p.Text)
		}
		if !marked && !strings.Contains(strings.ToLower(r.Page+r.Heading), "port") || length > maxLine+20 {
			t.Errorf("%s shows %v", r.Path, r.Line)
		}
	}
}

func TestSearch_EachResultLeadsToAHeadingThatIsThere(t *testing.T) {
	t.Parallel()
	c := documentation(t)
	for _, p := range c.index().passages {
		if p.anchor != "" && !p.page.anchors[p.anchor] {
			t.Errorf("%s leads nowhere", p.address())
		}
	}
}

func TestSearch_FindsNothingWhereNothingAnswers(t *testing.T) {
	t.Parallel()
	ix := documentation(t).index()
	for _, query := range []string{"", " ", "!?", "zzzzzzqqq", "日本", "\x00", strings.Repeat("q", maxQuery)} {
		if results := ix.results(query); len(results) != 0 {
			t.Errorf("%q finds %s", query, first(results))
		}
	}
}

func TestTypingErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"scope", "scope", 0},
		{"scope", "scop", 1},
		{"scope", "scopes", 1},
		{"scope", "scape", 1},
		{"scope", "socpe", 1},
		{"scope", "sxxpe", 2},
		{"zurück", "zuruck", 1},
		{"", "ab", 2},
		{"ab", "", 2},
	} {
		if got := typingErrors([]rune(c.a), []rune(c.b), 2); got != c.want {
			t.Errorf("%s and %s differ by %d, not %d", c.a, c.b, got, c.want)
		}
	}
}
