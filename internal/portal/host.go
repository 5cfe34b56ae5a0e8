package portal

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"time"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/locale"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/registration/library"
	"github.com/loop-health/loop/internal/requestlog"
	"github.com/loop-health/loop/internal/web"
	"github.com/loop-health/loop/internal/web/asset"
	"github.com/loop-health/loop/internal/webhook"
)

// Config is what the host needs.
type Config struct {
	Identity   *url.URL // the issuer
	Clinical   *url.URL // named in an app's settings
	Developers *url.URL // the host's own address

	// The portal's own client at identity: confidential, first-party, with the
	// redirect URI that CallbackURL gives.
	ClientID     loop.ClientID
	ClientSecret func() credential.Secret // the one that is good now: it changes with the key ring
	Playground   loop.ClientID            // the playground's ready-made app: public, in development mode
	HTTP         *http.Client             // by which identity is reached

	World    loop.World
	English  *locale.Language // what developers read that members read in theirs
	Clients  *registration.Clients
	Requests requestlog.Log
	// Deliveries are what was sent to webhooks, and WebhookSecrets what it is signed by.
	Deliveries     *webhook.Deliveries
	WebhookSecrets webhook.Secrets
	// Inspector makes the checks of the request debugger.
	Inspector Inspector
	Members   Members
	Sessions  Sessions
	Sealer    Sealer
	Forms     web.Tagger // of the forms' csrf tokens
	// TestMembers are the invented members whose passwords developers may read: those of
	// a platform on a laptop.
	TestMembers func() []TestMember
	// FormSecrets gives the secret that the form with this id makes, where it makes
	// one, under each key that the process holds, the one at work first: so a form
	// that is sent twice makes one secret, and nobody has to keep it.
	FormSecrets func(form string) []credential.Secret
}

// Members is the one thing that the portal asks about people.
type Members interface {
	// Member reads a member; loop.ErrNotFound where there is none.
	Member(ctx context.Context, id loop.MemberID) (*loop.Member, error)
}

// Sessions remembers which sessions were signed out of. A cookie says all else of
// its session; that it has ended, it cannot know.
type Sessions interface {
	// EndPortalSession notes durably that the session, or every session of the
	// sign-in, with this hash has ended; it may be forgotten once they would have
	// ended by themselves.
	EndPortalSession(ctx context.Context, hash [32]byte, expiresAt time.Time) error
	// PortalSessionEnded reports whether EndPortalSession was called for one of them.
	PortalSessionEnded(ctx context.Context, session, signIn [32]byte) (bool, error)
	// BeginVisit notes that a developer came, and says when they came before; the
	// zero time where they never did.
	BeginVisit(ctx context.Context, member loop.MemberID, at time.Time) (before time.Time, err error)
}

// Sealer seals what the portal's cookies hold.
type Sealer interface {
	// Seal encrypts and authenticates the plaintext, as text for a cookie.
	Seal(plaintext []byte) string
	// Open gives the plaintext of what Seal made; any other text is an error.
	Open(text string) ([]byte, error)
}

// CallbackURL is the redirect URI of the portal's client.
func CallbackURL(developers *url.URL) loop.RedirectURI {
	return loop.RedirectURI(developers.JoinPath("callback").String())
}

// Host is the developers' public host.
type Host struct {
	english   *locale.Language
	site      *web.Site
	identity  *identityProvider
	clinical  *url.URL
	clients   *registration.Clients
	requests  requestlog.Log
	inspector Inspector
	members   Members
	sessions  Sessions
	sealer    Sealer
	csrf      web.CSRF
	pages     *web.Pages
	session   web.Cookie
	secret    web.Cookie // a secret on its way to the page that shows it
	playing   web.Cookie // a walk through the playground
	kept      web.Cookie // a form whose sender has to sign in first

	readyMade      loop.ClientID
	playCallback   loop.RedirectURI
	deliveries     *webhook.Deliveries
	webhookSecrets webhook.Secrets
	testMembers    func() []TestMember

	formSecrets func(form string) []credential.Secret
	libraries   library.Table // that apps are built with
}

// New makes the host. A page that does not parse is an error.
func New(config Config) (*Host, error) {
	pages, err := parsePages()
	if err != nil {
		return nil, err
	}
	libraries, err := library.Read()
	if err != nil {
		return nil, err
	}
	return &Host{
		libraries: libraries, english: config.English, deliveries: config.Deliveries, webhookSecrets: config.WebhookSecrets,
		clients: config.Clients, requests: config.Requests, inspector: config.Inspector, members: config.Members, sessions: config.Sessions, sealer: config.Sealer, pages: pages,
		identity: newIdentityProvider(config), clinical: config.Clinical, csrf: web.CSRF{Tagger: config.Forms}, formSecrets: config.FormSecrets,
		readyMade: config.Playground, testMembers: config.TestMembers, playCallback: PlayCallbackURL(config.Developers),
	}, nil
}

// Mount adds the host's routes to its site, whose errors it shows as pages.
func (h *Host) Mount(site *web.Site) {
	h.site, h.csrf.Site = site, site
	site.ErrorPage = h.errorPage
	h.session = web.Cookie{Name: "loop_portal", Secure: site.Secure()}
	h.secret = web.Cookie{Name: "loop_portal_secret", Secure: site.Secure()}
	h.playing = web.Cookie{Name: "loop_portal_play", Secure: site.Secure()}
	h.kept = web.Cookie{Name: "loop_portal_form", Secure: site.Secure()}
	h.routes()
}

// routes is everything that the host answers.
func (h *Host) routes() {
	page := func(pattern string, handler web.Handler) { h.site.Page(pattern, h.Limited(handler)) }
	page("GET /{$}", h.home)

	page("GET /login", h.login)
	h.site.Act("GET /callback", h.Limited(h.callback))
	page("POST /logout", h.logout)
	page("GET /signed-out", h.signedOut)
	h.site.API("POST "+LogoutPath, h.Limited(h.backchannelLogout))

	page("GET /apps", h.signedIn(h.listApps))
	page("GET /apps/{id}", h.signedIn(h.ownApp(h.showApp)))
	page("GET /apps/{id}/requests", h.signedIn(h.ownApp(h.listRequests)))
	page("GET /requests/{request}", h.signedIn(h.ownRequest(h.showRequest)))
	page("GET /apps/{id}/secret", h.signedIn(h.ownApp(h.showSecret)))

	page("GET /apps/{id}/webhooks", h.signedIn(h.ownApp(h.listWebhooks)))
	page("GET /apps/{id}/webhooks/{webhook}", h.signedIn(h.ownApp(h.ownWebhook(h.showWebhook))))
	page("GET /apps/{id}/webhooks/{webhook}/secret", h.signedIn(h.ownApp(h.ownWebhook(h.showWebhookSecret))))
	page("GET /test-members", h.signedIn(h.showTestMembers))
	page("GET "+debuggerPath, h.signedIn(h.showDebugger))
	page("POST "+debuggerPath, h.signedIn(h.debug))

	page("GET "+playPath, h.player(h.showPlayground))
	page("POST "+playPath, h.player(h.play))
	h.site.Act("GET "+playCallbackPath, h.Limited(h.player(h.playAnswered)))

	change := func(pattern string, handler developerHandler) { page(pattern, h.signedIn(h.recentSignIn(handler))) }
	change("GET /apps/new", h.newApp)
	change("POST /apps/new", h.createApp)
	change("GET /apps/{id}/edit", h.ownApp(h.editApp))
	change("POST /apps/{id}/edit", h.ownApp(h.updateApp))
	change("GET /apps/{id}/rotate-secret", h.ownApp(h.askToRotate))
	change("POST /apps/{id}/rotate-secret", h.ownApp(h.rotateSecret))
	change("GET /apps/{id}/disable", h.ownApp(h.askToDisable))
	change("POST /apps/{id}/disable", h.ownApp(h.disableApp))
	change("POST /apps/{id}/enable", h.ownApp(h.enableApp))

	change("POST /apps/{id}/playground", h.ownApp(h.addPlayground))
	change("POST /apps/{id}/webhooks", h.ownApp(h.addWebhook))
	change("POST /apps/{id}/webhooks/{webhook}", h.ownApp(h.ownWebhook(h.actOnWebhook)))

	change("POST /requests/{request}/redirect-uri", h.ownRequest(h.addRedirectURI))

	for _, file := range []asset.File{asset.Stylesheet(), asset.Mark(), asset.Copy()} {
		h.site.File("GET "+file.Path, file.Serve)
	}
}

// home leads to what a visitor came for: their apps, or the documentation.
func (h *Host) home(w http.ResponseWriter, r *http.Request) error {
	dev, err := h.developer(r)
	if err != nil {
		return err
	}
	if dev == nil {
		return web.SeeOther(w, r, web.DocumentationPath)
	}
	return web.SeeOther(w, r, "/apps")
}

// random gives 256 unpredictable bits as 43 characters of base64url.
func (h *Host) random() string {
	var raw [32]byte
	_, _ = h.site.World.Read(raw[:])
	return base64.RawURLEncoding.EncodeToString(raw[:])
}
