package identity

import (
	"github.com/loop-health/loop/internal/locale"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/visitor"
)

// pageShown is what the consent page says for a request, as its receipt keeps it: all
// of it but the member's own data, which is nobody's to keep a second time.
func (h *Host) pageShown(req *oauth.AuthorizationRequest, l *locale.Language) loop.ConsentPage {
	app, needed := visitor.NewApp(req.Client, req.RedirectURI), req.Needed()
	page := loop.ConsentPage{
		Language: l.Tag, Version: versionOf(h.words[l.Tag]), App: app.Name, Host: app.Host, Verified: app.Verified, Development: app.Development,
		PolicyPage: app.PolicyPage, Cannot: cannot(l, req.Scopes),
	}
	for _, scope := range req.Scopes {
		page.Lines = append(page.Lines, loop.ConsentLine{Scope: scope, Title: l.ScopeTitle(scope), Detail: l.ScopeDetail(scope), Needed: needed.Has(scope)})
	}
	return page
}
