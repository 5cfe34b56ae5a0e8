package identity

import (
	"context"

	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// SignIns ends sign-ins.
type SignIns interface {
	// SignOut ends the session behind a cookie's value. One that is gone stays gone.
	SignOut(ctx context.Context, cookie string) error
}

// Config is what the host needs.
type Config struct {
	OAuth    *oauth.Server
	SignIns  SignIns
	Visitors *visitor.Visitors
}

// Host is the authorization server's endpoints and pages.
type Host struct {
	oauth    *oauth.Server
	signIns  SignIns
	visitors *visitor.Visitors
	site     *web.Site
	pages    *web.Pages
}

// New makes the host. A page that does not parse is an error.
func New(config Config) (*Host, error) {
	pages, err := parsePages()
	if err != nil {
		return nil, err
	}
	return &Host{oauth: config.OAuth, signIns: config.SignIns, visitors: config.Visitors, pages: pages}, nil
}

// Mount adds everything that the host answers to a site, and shows the site's
// errors.
func (h *Host) Mount(site *web.Site) {
	h.site = site
	site.ErrorPage = h.errorPage
	h.routes()
}
