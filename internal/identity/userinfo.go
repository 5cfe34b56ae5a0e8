package identity

import (
	"net/http"
	"strings"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/oauth/clientjwt"
	"github.com/loop-health/loop/internal/oauth/parameter"
	"github.com/loop-health/loop/internal/web"
)

// userInfo answers GET and POST /v1/oauth/userinfo with the claims of the scopes
// that the token carries (OpenID Connect Core §5.3): as JSON, or signed, as the
// client registered.
func (h *Host) userInfo(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	h.offerNonce(w, r)
	token, err := h.presented(w, r)
	if err != nil {
		return h.challenge().Challenge(w, r, err)
	}
	web.NoteClient(r.Context(), token.Client)
	web.NoteMember(r.Context(), token.Member)
	if err := h.limitRead(w, r, token.Client); err != nil {
		return err
	}
	if !token.Scopes.Has(loop.ScopeOpenID) {
		lacking := loop.Errorf(loop.InsufficientScope, "userinfo needs the scope openid, which the token does not have. Ask for it at authorization.")
		lacking.Scope = loop.NewScopes(loop.ScopeOpenID)
		return h.challenge().Challenge(w, r, lacking)
	}
	told, signed, err := h.oauth.UserInfo(r.Context(), token)
	if err != nil {
		return err
	}
	if signed != "" {
		return web.WriteJWT(w, "application/jwt", signed)
	}
	return web.WriteJSON(w, http.StatusOK, told)
}

func (h *Host) challenge() web.Challenger {
	return web.Challenger{ProofAlgorithms: strings.Join(clientjwt.Algorithms(), " ")}
}

// presented reads and judges the access token of a request to userinfo, where a
// form may carry it too (RFC 6750 §2.2, OpenID Connect Core §5.3.1).
func (h *Host) presented(w http.ResponseWriter, r *http.Request) (oauth.AccessToken, error) {
	scheme, text, err := tokenOf(w, r)
	if err != nil {
		return oauth.AccessToken{}, err
	}
	return h.oauth.Tokens.Admit(oauth.Presented{Evidence: h.site.Evidence(r), Scheme: scheme, Token: text, Resource: h.oauth.Issuer})
}

// tokenOf finds the token in header or form, never in both (RFC 6750 §2).
func tokenOf(w http.ResponseWriter, r *http.Request) (scheme, text string, err error) {
	if r.Method != http.MethodPost || !web.IsForm(r) {
		return web.AccessToken(r)
	}
	form, err := web.Form(w, r)
	if err != nil {
		return "", "", err
	}
	sent := parameter.WithoutEmpty(form)["access_token"]
	switch {
	case len(sent) == 0:
		return web.AccessToken(r)
	case len(sent) > 1 || r.Header.Get("Authorization") != "":
		return "", "", loop.Errorf(loop.InvalidRequest, "The access token was sent more than once. Send it in the header or in the form.")
	case r.URL.Query().Has("access_token"):
		return web.AccessToken(r) // says why not
	}
	return web.SchemeBearer, sent[0], nil
}
