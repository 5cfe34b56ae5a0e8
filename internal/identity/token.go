package identity

import (
	"net/http"
	"strings"

	"github.com/loop-health/loop/internal/limit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/oauth/clientauth"
	"github.com/loop-health/loop/internal/oauth/parameter"
	"github.com/loop-health/loop/internal/web"
)

// parameterNames are what the endpoints read, listed once and not for each request.
var parameterNames = parameter.Names()

// appHandler answers a request of a client that has been proven.
type appHandler func(w http.ResponseWriter, r *http.Request, client *loop.Client, req clientauth.Request) error

// fromApp is the phase that every endpoint for apps passes: the form is read,
// once and never the query, and the client is authenticated before anything else
// is looked at, and counted in its class.
func (h *Host) fromApp(class limit.Class, next appHandler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Cache-Control", "no-store") // RFC 6749 §5.1
		w.Header().Set("Pragma", "no-cache")
		form, err := web.Form(w, r, parameterNames...)
		if err != nil {
			return err
		}
		req := clientauth.Request{
			Evidence: h.site.Evidence(r), Form: parameter.WithoutEmpty(form), Authorization: r.Header.Values("Authorization"),
		}
		web.NoteParameters(r.Context(), req.Form)
		web.OfferNonce(w, r, h.oauth.Tokens.NewNonce)
		if err := h.oauth.NamePublicClient(r.Context(), req); err != nil {
			return err
		}
		client, err := h.prove(w, r, class, req)
		if err != nil {
			return err
		}
		return next(w, r, client, req)
	}
}

// prove authenticates the client that sent a request, and counts the request in its
// class.
func (h *Host) prove(w http.ResponseWriter, r *http.Request, class limit.Class, req clientauth.Request) (*loop.Client, error) {
	client, err := h.oauth.Clients.Authenticate(r.Context(), req)
	if client != nil {
		web.NoteClient(r.Context(), client.ID)
	}
	if err != nil {
		return nil, h.limitFailure(w, r, challengeClient(w, req, err))
	}
	web.NoteProven(r.Context())
	web.KeepToOrigins(w, client)
	return client, h.site.LimitClient(w, r, class, client)
}

// challengeClient says how to authenticate where Basic was tried (RFC 6749 §5.2).
func challengeClient(w http.ResponseWriter, req clientauth.Request, err error) error {
	if loop.AsError(err).Code == loop.InvalidClient && len(req.Authorization) > 0 && triedBasic(req.Authorization[0]) {
		w.Header().Set("WWW-Authenticate", `Basic realm="Loop", charset="UTF-8"`)
	}
	return err
}

func triedBasic(authorization string) bool {
	scheme, _, _ := strings.Cut(authorization, " ")
	return strings.EqualFold(scheme, "Basic")
}

// exchange answers POST /v1/oauth/token (RFC 6749 §3.2).
func (h *Host) exchange(w http.ResponseWriter, r *http.Request, client *loop.Client, req clientauth.Request) error {
	tokens, err := h.oauth.Exchange(r.Context(), client, req)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, tokens)
}

// push answers POST /v1/oauth/par (RFC 9126 §2).
func (h *Host) push(w http.ResponseWriter, r *http.Request, client *loop.Client, req clientauth.Request) error {
	pushed, err := h.oauth.Push(r.Context(), client, req)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusCreated, pushed)
}

// introspect answers POST /v1/oauth/introspect (RFC 7662 §2, RFC 9701 §4).
func (h *Host) introspect(w http.ResponseWriter, r *http.Request, client *loop.Client, req clientauth.Request) error {
	introspection, err := h.oauth.Introspect(r.Context(), client, req)
	if err != nil {
		return err
	}
	if !oauth.WantsIntrospectionJWT(client, r.Header.Get("Accept")) {
		return web.WriteJSON(w, http.StatusOK, introspection)
	}
	signed, err := h.oauth.Minter.SignIntrospection(client, introspection)
	if err != nil {
		return err
	}
	return web.WriteJWT(w, oauth.IntrospectionType, signed)
}

// revoke answers POST /v1/oauth/revoke (RFC 7009 §2).
func (h *Host) revoke(w http.ResponseWriter, r *http.Request, client *loop.Client, req clientauth.Request) error {
	if err := h.oauth.RevokeToken(r.Context(), client, req); err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, struct{}{}) // some clients read JSON from every answer
}
