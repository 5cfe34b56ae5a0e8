package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/limit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
)

// Tokens judges access tokens.
type Tokens interface {
	// Admit judges an access token as it is presented; InvalidToken,
	// InvalidDPoPProof or UseDPoPNonce where it does not open this resource.
	Admit(presented oauth.Presented) (oauth.Admitted, error)
	// Accept uses up what came with an admitted token, once all else of its request
	// holds; InvalidDPoPProof where another request was faster.
	Accept(admitted oauth.Admitted) error
	// NewNonce makes the nonce for the next DPoP proof.
	NewNonce() string
}

// Clients finds the app that a token was issued to. It is asked for each request.
type Clients interface {
	// Client finds an app; loop.ErrNotFound where there is none. All callers share
	// it, and none may alter it.
	Client(ctx context.Context, id loop.ClientID) (*loop.Client, error)
}

// Refusals keeps what was refused.
type Refusals interface {
	// RecordRefusal counts a genuine token that was turned away.
	RecordRefusal(ctx context.Context, refusal audit.Refusal) error
}

// Resource is the phase that every request with an access token passes: the token
// is read and judged, its app's limit counted, its scope and its sign-in compared
// with what the address needs. A host has one for all its addresses.
type Resource struct {
	Site     *Site
	Tokens   Tokens
	Clients  Clients
	Refusals Refusals
	// Path, of a resource that is a part of the host, is where it begins; empty: the
	// resource is the whole host. Tokens are meant for the one or the other.
	Path string
	// Metadata is the URL of the resource's description (RFC 9728 §5.1); empty:
	// there is none.
	Metadata string
	// AddsScopes: a challenge for a scope names those that the token has, too. Assistants
	// ask for what the challenge names and nothing else.
	AddsScopes bool
	// SignInMaxAge is how old the member's sign-in may be (RFC 9470); 0: any age.
	SignInMaxAge time.Duration
}

// ResourceHandler answers a request on behalf of the member who allowed the token.
type ResourceHandler func(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error

// Require lets a request through to next with a token that has what the address
// needs. No cache may keep what follows.
func (res *Resource) Require(needs Access, next ResourceHandler) Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Cache-Control", "no-store")
		repeatInteraction(w, r)
		OfferNonce(w, r, res.Tokens.NewNonce)
		token, err := res.admit(w, r, needs)
		if err != nil {
			return res.challenge(w, r, needs, err)
		}
		err = next(w, r, token)
		if needs.ByCall && lacksScope(err) {
			return res.challenge(w, r, needs, err)
		}
		return err
	}
}

// lacksScope reports whether a handler refused by Lacking.
func lacksScope(err error) bool {
	refused, ok := errors.AsType[*loop.Error](err)
	return ok && refused.Code == loop.InsufficientScope
}

// OfferNonce gives whoever sends a DPoP proof the nonce for the next one (RFC
// 9449 §8.2).
func OfferNonce(w http.ResponseWriter, r *http.Request, make func() string) {
	if len(r.Header.Values("DPoP")) > 0 {
		w.Header().Set("DPoP-Nonce", make())
	}
}

func (res *Resource) admit(w http.ResponseWriter, r *http.Request, needs Access) (oauth.AccessToken, error) {
	read := func() (scheme, token string, err error) { return accessToken(r) }
	if needs.InForm {
		read = func() (scheme, token string, err error) { return postedAccessToken(w, r) }
	}
	scheme, text, err := read()
	if err != nil {
		return oauth.AccessToken{}, err
	}
	admitted, err := res.Tokens.Admit(oauth.Presented{Evidence: res.Site.Evidence(r), Scheme: scheme, Token: text, Resource: res.Site.PublicURL.String() + res.Path})
	if err != nil {
		return oauth.AccessToken{}, err
	}
	token := admitted.AccessToken
	NoteClient(r.Context(), token.Client)
	NoteProven(r.Context())
	NoteMember(r.Context(), token.Member)
	if err := res.limit(w, r, needs.Class, token.Client); err != nil {
		return oauth.AccessToken{}, err
	}
	if !needs.openedBy(token) {
		return oauth.AccessToken{}, res.lacking(r.Context(), token, needs)
	}
	if err := res.fresh(token); err != nil {
		return oauth.AccessToken{}, err
	}
	return token, res.Tokens.Accept(admitted)
}

// limit counts a request with a good token of the client, whose pages alone may
// read the answer.
func (res *Resource) limit(w http.ResponseWriter, r *http.Request, class limit.Class, id loop.ClientID) error {
	client, err := res.Clients.Client(r.Context(), id)
	if errors.Is(err, loop.ErrNotFound) {
		return loop.Errorf(loop.InvalidToken, "The app that this access token was issued to is not registered any more.")
	}
	if err != nil {
		return Unavailable(err)
	}
	KeepToOrigins(w, client)
	return res.Site.LimitClient(w, r, class, client)
}

// Lacking is the refusal of a token without the scope that a call needs, once it is
// counted.
func (res *Resource) Lacking(ctx context.Context, token oauth.AccessToken, scope loop.Scope) error {
	return res.lacking(ctx, token, Access{Scope: scope})
}

// lacking is the refusal of a token without the scope, once it is counted: by its chain,
// a service's by its client.
func (res *Resource) lacking(ctx context.Context, token oauth.AccessToken, needs Access) error {
	err := res.Refusals.RecordRefusal(ctx, audit.Refusal{
		Event:   audit.CredentialRefused,
		Subject: cmp.Or(string(token.Chain), string(token.Client)),
		Reason:  string(loop.InsufficientScope),
		Member:  token.Member,
		Client:  token.Client,
		Grant:   token.Grant,
	})
	if err != nil {
		return Unavailable(err)
	}
	refusal := needs.refusal()
	if res.AddsScopes {
		refusal.Scope = refusal.Scope.Or(token.Scopes)
	}
	return refusal
}

// fresh refuses a token whose member signed in too long ago for what is asked
// (RFC 9470 §3): the app sends the member through authorization with max_age.
func (res *Resource) fresh(token oauth.AccessToken) error {
	if res.SignInMaxAge == 0 || loop.Alive(res.Site.World.Now(), token.Authentication.At, res.SignInMaxAge+time.Microsecond) {
		return nil
	}
	stale := loop.Errorf(loop.InsufficientUserAuthentication, "The member signed in longer ago than this allows. Send them through authorization with max_age=%d, and use the new token.", int64(res.SignInMaxAge.Seconds()))
	stale.MaxAge = res.SignInMaxAge
	return stale
}

// Unavailable is the answer to a read where something that it depends on failed:
// it changed nothing, so that trying again is safe.
func Unavailable(cause error) error {
	e := loop.Errorf(loop.TemporarilyUnavailable, "We can't answer at the moment. Try again in a little while.").Because(cause)
	e.RetryAfter = time.Second
	return e
}
