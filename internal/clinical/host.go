package clinical

import (
	"context"
	"net/http"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/limit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/web"
)

// Tokens judges access tokens.
type Tokens interface {
	// VerifyAccessToken opens an access token that is good now; InvalidToken
	// otherwise.
	VerifyAccessToken(text string) (oauth.AccessToken, error)
}

// Members is the one thing that clinical asks identity.
type Members interface {
	// Sex gives the member's recorded sex; empty where it is not known.
	Sex(ctx context.Context, id loop.MemberID) (loop.Sex, error)
}

// Clients is the one thing that clinical asks about apps.
type Clients interface {
	// ClientType says whether the app can keep a secret. It is asked for each
	// request, and never changes.
	ClientType(ctx context.Context, id loop.ClientID) (loop.ClientType, error)
}

// Records is where reads and refusals leave their record.
type Records interface {
	// RecordRead writes the record of a read and returns once it is durable.
	RecordRead(ctx context.Context, rec audit.Record) error
	// RecordRefusal counts a genuine token that was turned away.
	RecordRefusal(ctx context.Context, refusal audit.Refusal) error
}

// Config is what a Host needs.
type Config struct {
	Biomarkers *biomarker.Reader
	Tokens     Tokens
	Members    Members
	Clients    Clients
	Records    Records
	World      loop.World
}

// Host answers the requests of apps for health data.
type Host struct{ Config }

// New makes a host.
func New(config Config) *Host { return &Host{config} }

// Mount adds the host's routes to its site.
func (h *Host) Mount(site *web.Site) {
	for _, route := range []struct {
		pattern string
		scope   loop.Scope
		class   limit.Class
		handler handler
	}{
		{"GET /v1/biomarkers/me", loop.ScopeReadBiomarkers, limit.Read, h.listBiomarkers},
	} {
		site.API(route.pattern, h.authorized(gate{site, route.scope, route.class}, route.handler))
	}
}

// gate is what a request has to pass on a route.
type gate struct {
	site  *web.Site
	scope loop.Scope
	class limit.Class
}

// handler answers a request on behalf of the member whom a token stands for.
type handler func(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error

// authorized is the phase that every route passes: a token in the header, good
// now, of an app that has not asked too much, with the scope that the route
// needs. Nothing that follows may be kept by a cache.
func (h *Host) authorized(gate gate, next handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Cache-Control", "no-store")
		token, err := h.authorize(w, r, gate)
		if err != nil {
			return web.Challenge(w, err)
		}
		return next(w, r, token)
	}
}

func (h *Host) authorize(w http.ResponseWriter, r *http.Request, gate gate) (oauth.AccessToken, error) {
	text, err := web.BearerToken(r)
	if err != nil {
		return oauth.AccessToken{}, err
	}
	token, err := h.Tokens.VerifyAccessToken(text)
	if err != nil {
		return oauth.AccessToken{}, err
	}
	web.NoteClient(r.Context(), token.Client)
	web.NoteMember(r.Context(), token.Member)
	if err := h.limit(w, r, gate, token.Client); err != nil {
		return oauth.AccessToken{}, err
	}
	if !token.Scopes.Has(gate.scope) {
		return oauth.AccessToken{}, h.lacking(r.Context(), token, gate.scope)
	}
	return token, nil
}

// limit counts a request with a good token of the client.
func (h *Host) limit(w http.ResponseWriter, r *http.Request, gate gate, id loop.ClientID) error {
	kind, err := h.Clients.ClientType(r.Context(), id)
	if err != nil {
		return unavailable(err)
	}
	return gate.site.Limit(w, gate.class, limit.ByClient(id, kind, web.Address(r.Context())), 0)
}

// lacking is the refusal of a token without the scope, once it is counted.
func (h *Host) lacking(ctx context.Context, token oauth.AccessToken, scope loop.Scope) error {
	err := h.Records.RecordRefusal(ctx, audit.Refusal{
		Event:   audit.CredentialRefused,
		Subject: string(token.Chain),
		Reason:  string(loop.InsufficientScope),
		Member:  token.Member,
		Client:  token.Client,
		Grant:   token.Grant,
	})
	if err != nil {
		return unavailable(err)
	}
	refusal := loop.Errorf(loop.InsufficientScope, "This needs the scope %s, which the token does not have. Ask for it at authorization; the member may also have left it out.", scope)
	refusal.Scope = loop.NewScopes(scope)
	return refusal
}

// unavailable says that something we depend on failed. A read changes nothing,
// so that trying again is safe.
func unavailable(cause error) error {
	e := loop.Errorf(loop.TemporarilyUnavailable, "We can't answer at the moment. Try again in a little while.").Because(cause)
	e.RetryAfter = time.Second
	return e
}
