package identity

import (
	"strings"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/visitor"
)

// pageShown is what the consent page says for a request, as its receipt keeps it: all
// of it but the member's own data, which is nobody's to keep a second time.
func (h *Host) pageShown(req *oauth.AuthorizationRequest) loop.ConsentPage {
	language, version, _ := strings.Cut(h.words, " ")
	app, needed := visitor.NewApp(req.Client, req.RedirectURI), req.Needed()
	page := loop.ConsentPage{
		Language: language, Version: version, App: app.Name, Host: app.Host, Verified: app.Verified, Development: app.Development,
		PolicyPage: app.PolicyPage, Cannot: cannot(req.Scopes),
	}
	for _, scope := range req.Scopes {
		info, _ := scope.Info()
		page.Lines = append(page.Lines, loop.ConsentLine{Scope: scope, Title: info.Title, Detail: info.Detail, Needed: needed.Has(scope)})
	}
	return page
}
