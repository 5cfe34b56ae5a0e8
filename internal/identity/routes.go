package identity

import "github.com/loop-health/loop/internal/web/asset"

// routes is everything that the host answers.
func (h *Host) routes() {
	// For apps: JSON.
	h.site.API("GET /.well-known/openid-configuration", h.discovery)
	h.site.API("GET /.well-known/oauth-authorization-server", h.discovery)
	h.site.API("GET /.well-known/jwks.json", h.keySet)
	h.site.API("POST /v1/oauth/token", h.exchange)
	h.site.API("GET /v1/oauth/userinfo", h.userInfo)
	h.site.API("POST /v1/oauth/userinfo", h.userInfo)

	// For members: pages.
	h.site.Page("GET /v1/oauth/authorize", h.authorize)
	h.site.Page("POST /v1/oauth/authorize", h.authorizePost)
	h.site.Page("GET /signin", h.showSignIn)
	h.site.Page("POST /signin", h.postSignIn)
	h.site.Page("GET /signup", h.showSignUp)
	h.site.Page("POST /signup", h.postSignUp)
	h.site.Page("GET /notice", h.showNotice)
	h.site.Page("POST /notice", h.postNotice)
	h.site.Page("GET /account", h.showChoice)
	h.site.Page("POST /account", h.postChoice)
	h.site.Page("GET /consent", h.showConsent)
	h.site.Page("POST /consent", h.postConsent)
	h.site.Page("GET /signout", h.showSignOut)
	h.site.Page("POST /signout", h.postSignOut)
	h.site.Page("GET /{$}", h.showHome)

	for _, file := range []asset.File{asset.Stylesheet(), asset.FormPost()} {
		h.site.Page("GET "+file.Path, file.Serve)
	}
}
