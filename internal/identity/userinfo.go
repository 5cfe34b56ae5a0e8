package identity

import (
	"net/http"

	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/web"
)

// userInfo answers GET and POST /v1/oauth/userinfo with the claims of the scopes
// that the token carries (OpenID Connect Core §5.3): as JSON, or signed, as the
// client registered.
func (h *Host) userInfo(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
	claims, signed, err := h.oauth.UserInfo(r.Context(), token)
	if err != nil {
		return err
	}
	if signed != "" {
		return web.WriteJWT(w, "application/jwt", signed)
	}
	return web.WriteJSON(w, http.StatusOK, claims)
}

// resource is the phase that requests with access tokens pass here.
func (h *Host) resource() *web.Resource {
	return &web.Resource{Site: h.site, Tokens: h.oauth.Tokens, Clients: h.oauth.Ledger, Refusals: oauth.Refusals{Ledger: h.oauth.Ledger}}
}
