package account

import (
	"context"
	"embed"
	"io/fs"

	"github.com/loop-health/loop/internal/locale"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

//go:embed pages/*.html
var pageFiles embed.FS

// Accounts is what the pages need of accounts.
type Accounts interface {
	// Dismiss clears the notice that waits for a member: they have read it.
	Dismiss(ctx context.Context, id loop.MemberID) error
}

// Config is what the pages need.
type Config struct {
	Accounts Accounts
	SignIns  *signin.Authenticator
	Visitors *visitor.Visitors
}

// Host is the member's own pages.
type Host struct {
	Config
	pages *web.Pages
	texts *locale.Texts
}

// New makes the pages. One that does not parse, and a text, is an error.
func New(config Config) (*Host, error) {
	files, err := fs.Sub(pageFiles, "pages")
	if err != nil {
		return nil, err
	}
	pages, err := web.ParsePages("member", files)
	if err != nil {
		return nil, err
	}
	texts, err := locale.Load()
	if err != nil {
		return nil, err
	}
	return &Host{Config: config, pages: pages, texts: texts}, nil
}

// Mount adds the pages to identity's host.
func (h *Host) Mount(site *web.Site) {
	site.Page("GET "+visitor.SignInPath, visitor.InPopup(h.showSignIn))
	site.Page("POST "+visitor.SignInPath, visitor.InPopup(h.postSignIn))
	site.Page("GET /signup", visitor.InPopup(h.showSignUp))
	site.Page("POST /signup", visitor.InPopup(h.postSignUp))
	site.Page("GET "+visitor.NoticePath, visitor.InPopup(h.showNotice))
	site.Page("POST "+visitor.NoticePath, visitor.InPopup(h.postNotice))
	site.Page("GET "+visitor.ChoicePath, visitor.InPopup(h.showChoice))
	site.Page("POST "+visitor.ChoicePath, visitor.InPopup(h.postChoice))
	site.Page("GET /signout", visitor.InPopup(h.showSignOut))
	site.Page("POST /signout", visitor.InPopup(h.postSignOut))
	site.Page("GET "+visitor.SignedOutPath, visitor.InPopup(h.showSignedOut))
	site.Page("GET /{$}", h.showHome)
}
