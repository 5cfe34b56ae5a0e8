package portal

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
)

// attemptLife is how long a developer may take to sign in, as at identity.
const attemptLife = 30 * time.Minute

// maxAttempts is how many sign-ins one browser can have under way, one a tab.
const maxAttempts = 5

// attempt is one sign-in under way: what its cookie holds, sealed. Each has a
// cookie of its own, so that two tabs do not disturb each other.
type attempt struct {
	State    string
	Nonce    string
	Verifier string
	Return   string
	Fresh    bool // the member has to have signed in lately
	BeganAt  time.Time
}

// attemptPrefix begins the names of the cookies of attempts.
const attemptPrefix = "loop_portal_signin_"

// attemptCookie is the cookie of the attempt with this state.
func (h *Host) attemptCookie(state string) web.Cookie {
	return web.Cookie{Name: attemptPrefix + state[:min(len(state), 12)], Secure: h.site.Secure()}
}

// login answers GET /login: the developer is sent to identity, with a state, a
// nonce and a verifier of this attempt alone.
func (h *Host) login(w http.ResponseWriter, r *http.Request) error {
	params, err := web.Query(r)
	if err != nil {
		return err
	}
	a := attempt{
		State: h.random(), Nonce: h.random(), Verifier: h.random(),
		Return: localPath(params.Get("return")), Fresh: params.Has("fresh"), BeganAt: h.site.World.Now(),
	}
	to, err := h.identity.authorizeURL(r.Context(), a)
	if err != nil {
		return err
	}
	text, err := seal(h.sealer, sealedAttempt, a)
	if err != nil {
		return err
	}
	h.makeRoom(w, r)
	h.attemptCookie(a.State).Set(w, text, attemptLife)
	return web.SeeOther(w, r, to)
}

// makeRoom forgets attempts that were never finished, before their cookies make
// the browser's requests too large.
func (h *Host) makeRoom(w http.ResponseWriter, r *http.Request) {
	var pending []web.Cookie
	for _, cookie := range r.Cookies() {
		name := strings.TrimPrefix(cookie.Name, "__Host-")
		if strings.HasPrefix(name, attemptPrefix) {
			pending = append(pending, web.Cookie{Name: name, Secure: h.site.Secure()})
		}
	}
	if len(pending) < maxAttempts {
		return
	}
	for _, cookie := range pending {
		cookie.Clear(w)
	}
}

// localPath keeps a return address within this host: a clean absolute path,
// nothing else. What is not one leads to the apps.
func localPath(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.IsAbs() || u.Host != "" || u.RawQuery != "" || u.Fragment != "" ||
		!strings.HasPrefix(text, "/") || text != path.Clean(text) || strings.ContainsAny(text, "\\%") {
		return "/apps"
	}
	return text
}

// callback answers GET /callback: identity's answer to an attempt, which is used
// up by it.
func (h *Host) callback(w http.ResponseWriter, r *http.Request) error {
	params, err := web.Query(r)
	if err != nil {
		return err
	}
	for _, name := range []string{"state", "iss", "code", "error"} {
		if len(params[name]) > 1 {
			return errForeignAnswer
		}
	}
	a, err := h.finishAttempt(w, r, params.Get("state"))
	if err != nil {
		return err
	}
	// RFC 9207 §2.4: an answer of another server is not looked at.
	if params.Get("iss") != h.identity.issuer {
		return errForeignAnswer
	}
	if params.Has("error") {
		return h.signInRefused(w, r, params.Get("error"))
	}
	if params.Get("code") == "" {
		return errForeignAnswer
	}
	who, err := h.identity.exchange(r.Context(), params.Get("code"), a)
	if err != nil {
		return err
	}
	who.ID, who.IssuedAt = h.random(), h.site.World.Now()
	text, err := seal(h.sealer, sealedSession, who)
	if err != nil {
		return err
	}
	h.session.Set(w, text, sessionLife)
	web.NoteMember(r.Context(), who.Member)
	return web.SeeOther(w, r, a.Return)
}

var errForeignAnswer = loop.Errorf(loop.InvalidRequest, "This sign-in was not begun in this browser, or too long ago. Sign in again.")

// finishAttempt opens the attempt that an answer belongs to and ends its cookie.
func (h *Host) finishAttempt(w http.ResponseWriter, r *http.Request, state string) (attempt, error) {
	cookie := h.attemptCookie(state)
	a, ok := open[attempt](h.sealer, sealedAttempt, cookie.Read(r))
	if !ok || state == "" || subtle.ConstantTimeCompare([]byte(a.State), []byte(state)) != 1 ||
		h.site.World.Now().Sub(a.BeganAt) >= attemptLife {
		return attempt{}, errForeignAnswer
	}
	cookie.Clear(w)
	return a, nil
}

// logout answers POST /logout. It ends the portal's session; identity's stays,
// and the page that follows says so.
func (h *Host) logout(w http.ResponseWriter, r *http.Request) error {
	dev, err := h.developer(r)
	if err != nil {
		return err
	}
	if dev != nil {
		if _, err := h.form(w, r, dev); err != nil {
			return err
		}
		if err := h.sessions.EndPortalSession(r.Context(), dev.hash(), dev.expiresAt()); err != nil {
			return err
		}
	}
	h.session.Clear(w)
	h.secret.Clear(w)
	return web.SeeOther(w, r, "/signed-out")
}

// identityProvider is identity as the portal sees it: an OpenID provider like
// any other, found by discovery when it is first needed. Safe for concurrent use.
type identityProvider struct {
	issuer string
	client *http.Client
	oauth  oauth2.Config // its endpoint comes with the discovery, its secret with each use
	secret func() credential.Secret
	world  loop.World

	mu    sync.Mutex
	found *oidc.Provider
}

func newIdentityProvider(config Config) *identityProvider {
	return &identityProvider{
		issuer: config.Identity.String(), client: config.HTTP, secret: config.ClientSecret, world: config.World,
		oauth: oauth2.Config{
			ClientID: string(config.ClientID), RedirectURL: string(CallbackURL(config.Developers)),
			Scopes: []string{oidc.ScopeOpenID, "profile", "email"},
		},
	}
}

// discover gives the provider and the portal's client at it. Identity that can't
// be reached is TemporarilyUnavailable, and is asked again the next time.
func (p *identityProvider) discover(ctx context.Context) (*oidc.Provider, oauth2.Config, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found == nil {
		found, err := oidc.NewProvider(ctx, p.issuer)
		if err != nil {
			return nil, oauth2.Config{}, unreachable(err)
		}
		p.found = found
	}
	client := p.oauth
	client.ClientSecret = p.secret().Reveal()
	client.Endpoint = p.found.Endpoint()
	client.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
	return p.found, client, nil
}

func unreachable(cause error) error {
	return loop.Errorf(loop.TemporarilyUnavailable, "Signing in does not work at the moment. Try again in a little while.").Because(cause)
}

// within lets the libraries reach identity.
func (p *identityProvider) within(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, p.client)
}

// authorizeURL is where an attempt begins.
func (p *identityProvider) authorizeURL(ctx context.Context, a attempt) (string, error) {
	_, client, err := p.discover(p.within(ctx))
	if err != nil {
		return "", err
	}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(a.Verifier), oidc.Nonce(a.Nonce)}
	if a.Fresh {
		options = append(options, oauth2.SetAuthURLParam("max_age", strconv.Itoa(int(signInLately.Seconds()))))
	}
	return client.AuthCodeURL(a.State, options...), nil
}

// exchange gets the tokens of a code, checks the ID token (OpenID Connect Core
// §3.1.3.7) and asks who it is. The tokens are not kept.
func (p *identityProvider) exchange(ctx context.Context, code string, a attempt) (session, error) {
	ctx = p.within(ctx)
	provider, client, err := p.discover(ctx)
	if err != nil {
		return session{}, err
	}
	token, err := client.Exchange(ctx, code, oauth2.VerifierOption(a.Verifier))
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refused.ErrorCode == string(loop.InvalidGrant) {
		return session{}, errForeignAnswer.Because(err)
	}
	if err != nil {
		return session{}, unreachable(err)
	}
	subject, authTime, err := p.verify(ctx, provider, token, a.Nonce)
	if err != nil {
		return session{}, errForeignAnswer.Because(err)
	}
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return session{}, unreachable(err)
	}
	var claims struct {
		Name string `json:"name"`
	}
	// OpenID Connect Core §5.3.2: the subject of userinfo must be the ID token's.
	if err := info.Claims(&claims); err != nil || info.Subject != subject {
		return session{}, unreachable(errors.Join(err, errors.New("userinfo is about somebody else")))
	}
	return session{Member: loop.MemberID(subject), Name: claims.Name, Email: info.Email, AuthTime: authTime}, nil
}

// verify checks the ID token and gives its subject, and when they signed in.
func (p *identityProvider) verify(ctx context.Context, provider *oidc.Provider, token *oauth2.Token, nonce string) (subject string, authTime time.Time, err error) {
	text, ok := token.Extra("id_token").(string)
	if !ok {
		return "", authTime, errors.New("the token answer has no ID token")
	}
	checker := provider.Verifier(&oidc.Config{ClientID: p.oauth.ClientID, Now: p.world.Now})
	idToken, err := checker.Verify(ctx, text)
	if err != nil {
		return "", authTime, err
	}
	if subtle.ConstantTimeCompare([]byte(idToken.Nonce), []byte(nonce)) != 1 {
		return "", authTime, errors.New("the ID token has another nonce")
	}
	var claims struct {
		AuthTime int64 `json:"auth_time"` // seconds
	}
	if err := idToken.Claims(&claims); err != nil {
		return "", authTime, err
	}
	return idToken.Subject, time.Unix(claims.AuthTime, 0).UTC(), idToken.VerifyAccessToken(token.AccessToken)
}

// signInRefused shows what identity said instead of a code. Only codes from the
// list are repeated.
func (h *Host) signInRefused(w http.ResponseWriter, r *http.Request, code string) error {
	if !slices.Contains(loop.Codes(), loop.Code(code)) {
		return errForeignAnswer
	}
	return h.errorPage(w, r, loop.Errorf(loop.Code(code), "You were not signed in: identity answered with this error."))
}
