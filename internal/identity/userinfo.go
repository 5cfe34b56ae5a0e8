package identity

import (
	"net/http"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/web"
)

// userInfoResponse is the answer of userinfo (OpenID Connect Core §5.3.2).
type userInfoResponse struct {
	Subject loop.MemberID `json:"sub"`
	oauth.MemberClaims
}

// userInfo answers GET and POST /v1/oauth/userinfo with the claims of the scopes
// that the token carries.
func (h *Host) userInfo(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	text, err := web.BearerToken(r)
	if err != nil {
		return web.Challenge(w, err)
	}
	token, err := h.oauth.VerifyAccessToken(text)
	if err != nil {
		return web.Challenge(w, err)
	}
	web.NoteClient(r.Context(), token.Client)
	web.NoteMember(r.Context(), token.Member)
	if err := h.limitRead(w, r, token.Client); err != nil {
		return err
	}
	if !token.Scopes.Has(loop.ScopeOpenID) {
		lacking := loop.Errorf(loop.InsufficientScope, "userinfo needs the scope openid, which the token does not have.")
		lacking.Scope = loop.NewScopes(loop.ScopeOpenID)
		return web.Challenge(w, lacking)
	}
	m, err := h.oauth.Ledger.Member(r.Context(), token.Member)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, userInfoResponse{Subject: m.ID, MemberClaims: oauth.ClaimsOf(m, token.Scopes)})
}
