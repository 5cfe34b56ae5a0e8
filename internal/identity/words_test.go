package identity

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/loop-health/loop/internal/locale"
)

func TestConsentWords_FollowEveryText(t *testing.T) {
	t.Parallel()
	version := func(consent, again, detail string) map[string]string {
		texts, err := locale.Read(fstest.MapFS{
			"en/scope.toml": {Data: []byte(`openid = "An id."`)}, "de/scope.toml": {Data: []byte(`openid = "` + detail + `"`)}, "de/apps.toml": {Data: []byte(`title = "` + again + `"`)},
		})
		if err != nil {
			t.Fatal(err)
		}
		words, err := consentWords(fstest.MapFS{"consent.html": {Data: []byte(consent)}, "continue.html": {Data: []byte(again)}}, texts)
		if err != nil || !strings.HasPrefix(words["en"], "en ") || !strings.HasPrefix(words["de"], "de ") {
			t.Fatalf("%q, %v", words, err)
		}
		return words
	}
	first := version("Allow?", "Continue?", "Eine Kennung.")
	if again := version("Allow?", "Continue?", "Eine Kennung."); again["en"] != first["en"] || again["de"] != first["de"] {
		t.Error("the same words have two versions")
	}
	for _, other := range []map[string]string{version("Allow it?", "Continue?", "Eine Kennung."), version("Allow?", "Go on?", "Eine Kennung.")} {
		if other["en"] == first["en"] || other["de"] == first["de"] {
			t.Error("another page has the same version")
		}
	}
	if other := version("Allow?", "Continue?", "Eine Nummer."); other["de"] == first["de"] || other["en"] != first["en"] {
		t.Error("other words in one language have the same version there, or another one elsewhere")
	}
	if _, err := consentWords(fstest.MapFS{}, nil); err == nil {
		t.Error("a page that is missing has words")
	}
}

// TestConsentWords_KnowEveryTextOfThePages holds the list of texts to what the pages
// name.
func TestConsentWords_KnowEveryTextOfThePages(t *testing.T) {
	t.Parallel()
	for _, page := range []string{"pages/consent.html", "pages/continue.html"} {
		text, err := fs.ReadFile(pageFiles, page)
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range []string{`text "`, `marked "`, `count "`} {
			for i, rest := range strings.Split(string(text), call) {
				key, _, _ := strings.Cut(rest, `"`)
				known := false
				for _, prefix := range consentTexts {
					known = known || strings.HasPrefix(key, prefix)
				}
				if i > 0 && !known {
					t.Errorf("%s: the version of the words does not follow %s", page, key)
				}
			}
		}
	}
}
