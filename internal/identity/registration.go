package identity

import (
	"context"
	"net/http"
	"strings"

	"github.com/loop-health/loop/internal/limit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/web"
)

// Registrations is what clients that register themselves ask for.
type Registrations interface {
	// RegisterItself registers a client from its metadata, as JSON.
	RegisterItself(ctx context.Context, body []byte, address string) (*registration.Registered, error)
	// Itself gives a client to who has its token.
	Itself(ctx context.Context, id loop.ClientID, token, address string) (*registration.Registered, error)
	// DeleteItself deletes a client for who has its token.
	DeleteItself(ctx context.Context, id loop.ClientID, token string) error
}

// maxMetadataBytes bounds what a client says of itself.
const maxMetadataBytes = 64 << 10

// register answers POST /v1/oauth/register (RFC 7591 §3.1).
func (h *Host) register(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	if err := h.limitRegistration(w, r); err != nil {
		return err
	}
	body, err := web.JSONBody(w, r, maxMetadataBytes)
	if err != nil {
		return err
	}
	answer, err := h.registrations.RegisterItself(r.Context(), body, h.registrationAddress())
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusCreated, answer)
}

// showRegistration answers GET /v1/oauth/register/{client} (RFC 7592 §2.1).
func (h *Host) showRegistration(w http.ResponseWriter, r *http.Request) error {
	return h.forItself(w, r, func(id loop.ClientID, token string) error {
		answer, err := h.registrations.Itself(r.Context(), id, token, h.registrationAddress())
		if err != nil {
			return err
		}
		return web.WriteJSON(w, http.StatusOK, answer)
	})
}

// deleteRegistration answers DELETE /v1/oauth/register/{client} (RFC 7592 §2.3).
func (h *Host) deleteRegistration(w http.ResponseWriter, r *http.Request) error {
	return h.forItself(w, r, func(id loop.ClientID, token string) error {
		if err := h.registrations.DeleteItself(r.Context(), id, token); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	})
}

// forItself reads the registration access token of a request. Guesses are counted as
// registrations are.
func (h *Host) forItself(w http.ResponseWriter, r *http.Request, act func(id loop.ClientID, token string) error) error {
	w.Header().Set("Cache-Control", "no-store")
	if err := h.limitRegistration(w, r); err != nil {
		return err
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		token = ""
	}
	err := act(loop.ClientID(r.PathValue("client")), token)
	if err != nil && loop.AsError(err).Code == loop.InvalidToken {
		w.Header().Set("WWW-Authenticate", `Bearer realm="Loop", error="invalid_token"`)
	}
	return err
}

func (h *Host) registrationAddress() string { return h.oauth.Issuer + oauth.RegistrationPath + "/" }

// limitRegistration counts by network: nobody has proven anything.
func (h *Host) limitRegistration(w http.ResponseWriter, r *http.Request) error {
	return h.site.Limit(w, limit.Registrations, limit.ByAddress(web.Address(r.Context())), 0)
}
