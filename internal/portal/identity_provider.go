package portal

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// identityProvider is identity as the portal sees it: an OpenID provider like
// any other, found by discovery when it is first needed. Safe for concurrent use.
type identityProvider struct {
	issuer  string
	address *url.URL // the same
	client  *http.Client
	oauth   oauth2.Config // its endpoint comes with the discovery, its secret with each use
	secret  func() credential.Secret
	world   loop.World

	mu    sync.Mutex
	found *oidc.Provider
}

func newIdentityProvider(config Config) *identityProvider {
	return &identityProvider{
		issuer: config.Identity.String(), address: config.Identity, client: config.HTTP, secret: config.ClientSecret, world: config.World,
		oauth: oauth2.Config{
			ClientID: string(config.ClientID), RedirectURL: string(CallbackURL(config.Developers)),
			Scopes: []string{oidc.ScopeOpenID, "profile", "email"},
		},
	}
}

// origin is identity's, as a policy names it.
func (p *identityProvider) origin() string { return p.address.Scheme + "://" + p.address.Host }

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
		options = append(options, oauth2.SetAuthURLParam("max_age", strconv.Itoa(int(recentlyFor.Seconds()))))
	}
	if a.Choose {
		options = append(options, oauth2.SetAuthURLParam("prompt", "select_account"))
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
	known, err := p.verify(ctx, provider, token, a.Nonce)
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
	if err := info.Claims(&claims); err != nil || loop.MemberID(info.Subject) != known.Member {
		return session{}, unreachable(errors.Join(err, errors.New("userinfo is about somebody else")))
	}
	known.Name = claims.Name
	return known, nil
}

// verify checks the ID token and gives what it says: who signed in, when, and in which
// session of identity's.
func (p *identityProvider) verify(ctx context.Context, provider *oidc.Provider, token *oauth2.Token, nonce string) (session, error) {
	text, ok := token.Extra("id_token").(string)
	if !ok {
		return session{}, errors.New("the token answer has no ID token")
	}
	idToken, err := p.verifier(provider).Verify(ctx, text)
	if err != nil {
		return session{}, err
	}
	if subtle.ConstantTimeCompare([]byte(idToken.Nonce), []byte(nonce)) != 1 {
		return session{}, errors.New("the ID token has another nonce")
	}
	var claims struct {
		AuthTime int64  `json:"auth_time"` // seconds
		Session  string `json:"sid"`
	}
	if err := idToken.Claims(&claims); err != nil {
		return session{}, err
	}
	if claims.Session == "" {
		return session{}, errors.New("the ID token names no session")
	}
	return session{
		Member: loop.MemberID(idToken.Subject), SignIn: claims.Session, AuthTime: time.Unix(claims.AuthTime, 0).UTC(),
	}, idToken.VerifyAccessToken(token.AccessToken)
}

func (p *identityProvider) verifier(provider *oidc.Provider) *oidc.IDTokenVerifier {
	return provider.Verifier(&oidc.Config{ClientID: p.oauth.ClientID, Now: p.world.Now})
}

// endedSignIn checks a logout token (OpenID Connect Back-Channel Logout §2.6) and
// gives the session of identity's that has ended.
func (p *identityProvider) endedSignIn(ctx context.Context, token string) (sid string, err error) {
	ctx = p.within(ctx)
	provider, _, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	ended, err := p.verifier(provider).VerifyLogout(ctx, token)
	if err != nil || ended.SessionID == "" {
		return "", loop.Errorf(loop.InvalidRequest, "The logout_token is not one that identity made for the portal about a session.").Because(err)
	}
	return ended.SessionID, nil
}
