package clinical

import (
	"context"
	"net/http"
	"strings"
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
	// Admit judges an access token as it is presented; InvalidToken,
	// InvalidDPoPProof or UseDPoPNonce where it does not open this resource.
	Admit(presented oauth.Presented) (oauth.AccessToken, error)
	// NewNonce makes the nonce for the next DPoP proof.
	NewNonce() string
}

// Members is the one thing that clinical asks identity.
type Members interface {
	// Sex gives the member's recorded sex; empty where it is not known.
	Sex(ctx context.Context, id loop.MemberID) (loop.Sex, error)
}

// Clients is where clinical finds an app's limits. It is asked for each request.
type Clients interface {
	// Client finds the app that a good token was issued to. All callers share it,
	// and none may alter it.
	Client(ctx context.Context, id loop.ClientID) (*loop.Client, error)
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
	Metadata   oauth.ResourceMetadata
	// SignInMaxAge is how old the member's sign-in may be when an app reads
	// (RFC 9470); 0: any age.
	SignInMaxAge time.Duration
}

// Host answers the requests of apps for health data.
type Host struct {
	Config
	site    *web.Site
	catalog catalogDocument
}

// New makes a host.
func New(config Config) *Host {
	return &Host{Config: config, catalog: newCatalogDocument(config.Biomarkers.Catalogue)}
}

// metadataPath is where the host describes itself (RFC 9728 §3).
const metadataPath = "/.well-known/oauth-protected-resource"

// Mount adds the host's routes to its site.
func (h *Host) Mount(site *web.Site) {
	h.site = site
	site.API("GET "+metadataPath, h.describe)
	site.API("GET /v1/biomarkers/catalog", h.catalog.serve)
	for _, route := range []struct {
		pattern string
		scope   loop.Scope
		class   limit.Class
		handler handler
	}{
		{"GET /v1/biomarkers/me", loop.ScopeReadBiomarkers, limit.Read, h.listBiomarkers},
		{"GET /v1/biomarkers/me/{id}", loop.ScopeReadBiomarkers, limit.Read, h.showBiomarker},
		{"GET /v1/biomarkers/me/summary", loop.ScopeReadBiomarkers, limit.Read, h.summarizeBiomarkers},
	} {
		site.BrowserAPI(route.pattern, h.authorized(gate{route.scope, route.class}, route.handler))
	}
}

// gate is what a request has to pass on a route.
type gate struct {
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
		if id := r.Header.Get("X-Fapi-Interaction-Id"); validInteraction(id) {
			w.Header().Set("X-Fapi-Interaction-Id", id)
		}
		if len(r.Header.Values("DPoP")) > 0 {
			w.Header().Set("DPoP-Nonce", h.Tokens.NewNonce())
		}
		token, err := h.authorize(w, r, gate)
		if err != nil {
			return h.challenge().Challenge(w, r, err)
		}
		return next(w, r, token)
	}
}

// describe answers GET /.well-known/oauth-protected-resource (RFC 9728 §3.2):
// anyone may read it, from any page.
func (h *Host) describe(w http.ResponseWriter, _ *http.Request) error {
	web.Public(w)
	return web.WriteJSON(w, http.StatusOK, h.Metadata)
}

func (h *Host) challenge() web.Challenger {
	return web.Challenger{Metadata: h.site.PublicURL.String() + metadataPath, ProofAlgorithms: strings.Join(h.Metadata.ProofAlgorithms, " ")}
}

// validInteraction reports whether an x-fapi-interaction-id is a UUID, the one
// form in which it is repeated to its sender.
func validInteraction(id string) bool {
	if len(id) != 36 {
		return false
	}
	for i, r := range id {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (r == '-') || !dash && !strings.ContainsRune("0123456789abcdefABCDEF", r) {
			return false
		}
	}
	return true
}

func (h *Host) authorize(w http.ResponseWriter, r *http.Request, gate gate) (oauth.AccessToken, error) {
	scheme, text, err := web.AccessToken(r)
	if err != nil {
		return oauth.AccessToken{}, err
	}
	token, err := h.Tokens.Admit(oauth.Presented{Evidence: h.site.Evidence(r), Scheme: scheme, Token: text, Resource: h.site.PublicURL.String()})
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
	return token, h.fresh(token)
}

// fresh refuses a token whose member signed in too long ago for what is asked
// (RFC 9470 §3): the app sends the member through authorization with max_age.
func (h *Host) fresh(token oauth.AccessToken) error {
	if h.SignInMaxAge == 0 || h.World.Now().Sub(token.AuthTime) <= h.SignInMaxAge {
		return nil
	}
	stale := loop.Errorf(loop.InsufficientUserAuthentication, "The member signed in longer ago than this allows. Send them through authorization with max_age=%d, and use the new token.", int64(h.SignInMaxAge.Seconds()))
	stale.MaxAge = h.SignInMaxAge
	return stale
}

// limit counts a request with a good token of the client, whose pages alone may
// read the answer.
func (h *Host) limit(w http.ResponseWriter, r *http.Request, gate gate, id loop.ClientID) error {
	client, err := h.Clients.Client(r.Context(), id)
	if err != nil {
		return unavailable(err)
	}
	web.KeepToOrigins(w, client)
	return h.site.LimitClient(w, r, gate.class, client)
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
