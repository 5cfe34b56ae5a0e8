package requestlog

import (
	"slices"

	"github.com/loop-health/loop/internal/loop"
)

// Addresses are where the platform's hosts are reached.
type Addresses struct{ Identity, Clinical string }

// Explanation is what an app's developer needs to know of a request.
type Explanation struct {
	Entry
	Rule       *Rule       // that it broke; nil: it wasn't refused
	Comparison *Comparison // nil: nothing to compare
	// Mended is how the request has to look, as a command line with the secrets as
	// variables; empty where it has no such form.
	Mended string
	// Unregistered is the redirect URI that was sent and could be registered as it is;
	// empty: there is none.
	Unregistered loop.RedirectURI
}

// Explain says what became of an app's request, and how it has to look.
func Explain(e Entry, client *loop.Client, at Addresses) Explanation {
	x := Explanation{Entry: e}
	if e.Error == "" {
		return x
	}
	rule := RuleOf(e)
	x.Rule, x.Comparison, x.Mended = &rule, compare(e, client), mended(e, client, at)
	if e.Error == loop.InvalidRequest && e.Field == "redirect_uri" {
		sent := loop.RedirectURI(e.Value("redirect_uri"))
		if sent.Validate() == nil && !slices.Contains(client.RedirectURIs, sent) {
			x.Unregistered = sent
		}
	}
	return x
}
