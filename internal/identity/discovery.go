package identity

import (
	"net/http"

	"github.com/loop-health/loop/internal/web"
)

// discovery answers both well-known documents (RFC 8414 §3, OpenID Connect
// Discovery §4): anyone may read them, from any page.
func (h *Host) discovery(w http.ResponseWriter, _ *http.Request) error {
	return web.WriteJSON(w, http.StatusOK, h.oauth.Metadata(h.site.Developers.JoinPath(web.DocumentationPath).String()))
}

// keySet answers GET /.well-known/jwks.json (RFC 7517 §5).
func (h *Host) keySet(w http.ResponseWriter, _ *http.Request) error {
	return web.WriteJSON(w, http.StatusOK, h.oauth.Minter.Signing.Public())
}
