package identity

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/loop-health/loop/internal/loop"
)

func TestConsentWords_FollowEveryText(t *testing.T) {
	t.Parallel()
	version := func(consent, again, detail string) string {
		words, err := consentWords(fstest.MapFS{
			"consent.html": {Data: []byte(consent)}, "continue.html": {Data: []byte(again)},
		}, []loop.ScopeInfo{{Scope: loop.ScopeOpenID, Title: "Know who you are", Detail: detail}})
		if err != nil || !strings.HasPrefix(words, "en ") {
			t.Fatalf("%q, %v", words, err)
		}
		return words
	}
	first := version("Allow?", "Continue?", "An id.")
	if version("Allow?", "Continue?", "An id.") != first {
		t.Error("the same words have two versions")
	}
	for _, other := range []string{version("Allow it?", "Continue?", "An id."), version("Allow?", "Go on?", "An id."), version("Allow?", "Continue?", "A number.")} {
		if other == first {
			t.Error("other words have the same version")
		}
	}
	if _, err := consentWords(fstest.MapFS{}, nil); err == nil {
		t.Error("a page that is missing has words")
	}
}
