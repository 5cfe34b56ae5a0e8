package identity

import (
	"github.com/loop-health/loop/internal/limit"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/web/asset"
)

// routes is everything that the host answers.
func (h *Host) routes() {
	// For apps: JSON.
	h.site.API("GET /.well-known/openid-configuration", h.discovery)
	h.site.API("GET /.well-known/oauth-authorization-server", h.discovery)
	h.site.API("GET "+oauth.KeySetPath, h.keySet)
	h.site.BrowserAPI("POST "+oauth.TokenPath, h.fromApp(limit.Token, h.exchange))
	h.site.API("POST "+oauth.PushedPath, h.fromApp(limit.Token, h.push))
	h.site.API("POST "+oauth.IntrospectionPath, h.fromApp(limit.Introspect, h.introspect))
	h.site.BrowserAPI("POST "+oauth.RevocationPath, h.fromApp(limit.Revoke, h.revoke))
	h.site.BrowserAPI("GET "+oauth.UserInfoPath, h.userInfo)
	h.site.BrowserAPI("POST "+oauth.UserInfoPath, h.userInfo)

	// For members: pages.
	h.site.Page("GET "+oauth.AuthorizePath, h.authorize)
	h.site.Page("POST "+oauth.AuthorizePath, h.authorizePost)
	h.site.Page("GET "+oauth.LogoutPath, h.logout)
	h.site.Page("POST "+oauth.LogoutPath, h.logoutPost)
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
	h.site.Page("GET /signed-out", h.showSignedOut)
	h.site.Page("GET /{$}", h.showHome)

	for _, file := range []asset.File{asset.Stylesheet(), asset.Mark(), asset.FormPost()} {
		h.site.Page("GET "+file.Path, file.Serve)
	}
}
