package account

import (
	"context"
	"embed"
	"io/fs"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/connection"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/intake"
	"github.com/loop-health/loop/internal/locale"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

//go:embed pages/*.html pages/own/*.html
var pageFiles embed.FS

// Accounts is what the pages need of accounts.
type Accounts interface {
	// Dismiss clears the notice that waits for a member: they have read it.
	Dismiss(ctx context.Context, id loop.MemberID) error
	// ChooseLanguage keeps the language that a member chose, by its tag (BCP 47).
	ChooseLanguage(ctx context.Context, id loop.MemberID, tag string) error
	// BecomeTest makes a member, who wishes it, a test member.
	BecomeTest(ctx context.Context, id loop.MemberID) error
	// Downloaded records that a member downloads all that is kept of them.
	Downloaded(ctx context.Context, id loop.MemberID) error
	// ViewedResults records that a member looks at so many of their own lab results.
	ViewedResults(ctx context.Context, id loop.MemberID, count int) error
	// SetBirthDate keeps when a member was born, as they write it themselves; nothing:
	// they say it no more. A ValidationError where it is no birth date.
	SetBirthDate(ctx context.Context, id loop.MemberID, text string) error
	// Leave begins a member's departure: their sessions end, and unless they sign in
	// before, they are erased at the moment that it gives. Done twice, the first counts.
	Leave(ctx context.Context, id loop.MemberID) (at time.Time, err error)
	// Member finds a member; loop.ErrNotFound where there is none.
	Member(ctx context.Context, id loop.MemberID) (*loop.Member, error)
}

// Config is what the pages need.
type Config struct {
	Accounts Accounts
	SignIns  *signin.Authenticator
	Visitors *visitor.Visitors
	Texts    *locale.Texts
	Links    *member.Links
	Mailed   *member.Mailed // nil: no mail is sent
	// Confirmations tag the links that were taken up in a browser.
	Confirmations credential.Tagger

	Imports *intake.Keeper // nil: results are kept in another process
	// Uploads seal a file between its preview and the word to keep it.
	Uploads credential.Sealer

	Connections *connection.Connections
	Biomarkers  *biomarker.Reader
	// Resource makes the phase that requests with access tokens pass.
	Resource func(*web.Site) *web.Resource
}

// Host is the member's own pages.
type Host struct {
	Config
	pages    *web.Translated // one card
	ownPages *web.Translated // of the member's account
	world    loop.World
	origin   string // of the host, where the world reaches it
}

// New makes the pages. One that does not parse, or names a text that is not there, is
// an error.
func New(config Config) (*Host, error) {
	pages, err := parsePages("member", "pages", config.Texts)
	if err != nil {
		return nil, err
	}
	ownPages, err := parsePages("account", "pages/own", config.Texts)
	if err != nil {
		return nil, err
	}
	return &Host{Config: config, pages: pages, ownPages: ownPages}, nil
}

func parsePages(layout, folder string, texts *locale.Texts) (*web.Translated, error) {
	files, err := fs.Sub(pageFiles, folder)
	if err != nil {
		return nil, err
	}
	return web.ParseTranslated(layout, files, texts)
}

// Mount adds the pages to identity's host.
func (h *Host) Mount(site *web.Site) {
	h.world = site.World
	site.Page("GET "+visitor.SignInPath, visitor.InPopup(h.showSignIn))
	site.Page("POST "+visitor.SignInPath, visitor.InPopup(h.postSignIn))
	site.Page("GET "+visitor.CodePath, visitor.InPopup(h.showCode))
	site.Page("POST "+visitor.CodePath, visitor.InPopup(h.postCode))
	site.Page("GET /signup", visitor.InPopup(h.showSignUp))
	site.Page("POST /signup", visitor.InPopup(h.postSignUp))
	site.Page("GET "+visitor.NoticePath, visitor.InPopup(h.showNotice))
	site.Page("POST "+visitor.NoticePath, visitor.InPopup(h.postNotice))
	site.Page("GET "+visitor.ChoicePath, visitor.InPopup(h.showChoice))
	site.Page("POST "+visitor.ChoicePath, visitor.InPopup(h.postChoice))
	site.Page("GET "+visitor.TestPath, visitor.InPopup(h.showTestMember))
	site.Page("POST "+visitor.TestPath, visitor.InPopup(h.postTestMember))
	site.Page("GET /signout", visitor.InPopup(h.showSignOut))
	site.Page("POST /signout", visitor.InPopup(h.postSignOut))
	site.Page("GET "+visitor.SignedOutPath, visitor.InPopup(h.showSignedOut))
	site.Page("GET /{$}", h.showHome)
	site.Page("POST /language", visitor.InPopup(h.postLanguage))

	site.Page("GET /.well-known/change-password", leadToPassword)
	site.Page("GET /help", h.showAbout("help"))
	site.Page("GET /privacy", h.showAbout("privacy"))

	site.Page("GET "+accountPath, h.own(h.showOverview))
	site.Page("GET "+appsPath, h.own(h.showApps))
	site.Page("GET "+appsPath+"/{grant}", h.own(h.showApp))
	site.Page("POST "+appsPath+"/{grant}", h.postApp)
	site.Page("GET "+appsPath+"/{grant}/receipts", h.own(h.showReceipts))
	site.Page("GET "+activityPath, h.own(h.showActivity))
	site.Page("GET "+activityPath+".csv", h.own(h.exportCSV))
	site.Page("GET "+activityPath+".json", h.own(h.exportJSON))
	site.Page("GET "+securityPath, h.inSession(h.showSecurity))
	site.Page("GET "+passkeyPath, h.recent(passkeyPath, h.showNewPasskey))
	site.Page("POST "+passkeyPath, h.recent(passkeyPath, h.postNewPasskey))
	site.Page("POST "+passkeyPath+"/{id}", h.recent(securityPath, h.removePasskey))
	site.Page("GET "+newCodePath, h.recent(newCodePath, h.showFactor))
	site.Page("POST "+newCodePath, h.recent(newCodePath, h.postFactor))
	site.Page("POST "+factorPath, h.recent(securityPath, h.changeFactor))
	site.Page("POST "+sessionsPath, h.inSession(h.postSessions))
	site.Page("GET "+privacyPath, h.own(h.showPrivacy))
	site.Page("POST "+privacyPath, h.postPrivacy)
	site.Page("GET "+downloadPath, h.recent(privacyPath, h.download))
	site.Page("GET "+leftPath, h.showLeft)
	site.Page("GET "+resultsPath, h.own(h.showResults))
	site.Page("POST "+resultsPath, h.postResults)
	site.Page("GET "+resultsPath+"/{code}", h.own(h.showHistory))
	h.mountImport(site)
	h.mountMailed(site)
	h.mountAPI(site)
}
