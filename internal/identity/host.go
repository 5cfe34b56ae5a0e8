package identity

import (
	"context"
	"embed"
	"io/fs"

	"github.com/loop-health/loop/internal/locale"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
	"github.com/loop-health/loop/internal/webhook"
)

//go:embed pages/*.html
var pageFiles embed.FS

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
	Texts    *locale.Texts
	Pictures Pictures
	Results  Results

	Webhooks       Webhooks
	Deliveries     *webhook.Deliveries
	WebhookSecrets WebhookSecrets

	// Registrations takes clients that register themselves; nil: none does.
	Registrations Registrations
}

// Host is the authorization server's endpoints and pages.
type Host struct {
	oauth          *oauth.Server
	signIns        SignIns
	visitors       *visitor.Visitors
	pictures       Pictures
	results        Results
	site           *web.Site
	pages          *web.Translated
	webhooks       Webhooks
	deliveries     *webhook.Deliveries
	webhookSecrets WebhookSecrets
	registrations  Registrations
	words          map[string]string // in which consent is asked for: by language, its tag and a version
}

// New makes the host. A page that does not parse is an error.
func New(config Config) (*Host, error) {
	files, err := fs.Sub(pageFiles, "pages")
	if err != nil {
		return nil, err
	}
	pages, err := web.ParseTranslated("member", files, config.Texts)
	if err != nil {
		return nil, err
	}
	words, err := consentWords(files, config.Texts)
	if err != nil {
		return nil, err
	}
	return &Host{webhooks: config.Webhooks, deliveries: config.Deliveries, webhookSecrets: config.WebhookSecrets, oauth: config.OAuth, signIns: config.SignIns, visitors: config.Visitors, pictures: config.Pictures, results: config.Results, registrations: config.Registrations, pages: pages, words: words}, nil
}

// Mount adds everything that the host answers to a site, and shows the site's
// errors.
func (h *Host) Mount(site *web.Site) {
	h.site = site
	site.ErrorPage = h.errorPage
	h.routes()
}
