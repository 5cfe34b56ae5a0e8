package identity

import (
	"github.com/loop-health/loop/internal/limit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
	"github.com/loop-health/loop/internal/web/asset"
)

// routes is everything that the host answers.
func (h *Host) routes() {
	// For apps: JSON.
	userInfo := h.resource().Require(web.Access{Scope: loop.ScopeOpenID, Class: limit.Read, InForm: true}, h.userInfo)
	h.site.PublicAPI("GET /.well-known/openid-configuration", h.discovery)
	h.site.PublicAPI("GET /.well-known/oauth-authorization-server", h.discovery)
	h.site.PublicAPI("GET "+oauth.KeySetPath, h.keySet)
	h.site.BrowserAPI("POST "+oauth.TokenPath, h.fromApp(limit.Token, h.exchange))
	h.site.API("POST "+oauth.PushedPath, h.fromApp(limit.Token, h.push))
	h.site.API("POST "+oauth.IntrospectionPath, h.fromApp(limit.Introspect, h.introspect))
	h.site.BrowserAPI("POST "+oauth.RevocationPath, h.fromApp(limit.Revoke, h.revoke))
	h.site.BrowserAPI("GET "+oauth.UserInfoPath, userInfo)
	h.site.BrowserAPI("POST "+oauth.UserInfoPath, userInfo)

	h.webhookRoutes()

	if h.registrations != nil {
		h.site.PublicAPI("POST "+oauth.RegistrationPath, h.register)
		h.site.PublicAPI("GET "+oauth.RegistrationPath+"/{client}", h.showRegistration)
		h.site.PublicAPI("DELETE "+oauth.RegistrationPath+"/{client}", h.deleteRegistration)
	}

	// For members: pages. Those of their account are in package account.
	h.site.Page("GET "+oauth.AuthorizePath, visitor.InPopup(h.authorize))
	h.site.Page("POST "+oauth.AuthorizePath, visitor.InPopup(h.authorizePost))
	h.site.Act("GET "+oauth.LogoutPath, visitor.InPopup(h.logout))
	h.site.Page("POST "+oauth.LogoutPath, visitor.InPopup(h.logoutPost))
	h.site.Page("POST /logout", visitor.InPopup(h.confirmLogout))
	h.site.Act("GET "+visitor.NextPath, visitor.InPopup(h.showNext))
	h.site.Page("GET "+visitor.ConsentPath, visitor.InPopup(h.showConsent))
	h.site.Page("POST "+visitor.ConsentPath, visitor.InPopup(h.postConsent))

	h.site.File("GET /logos/{client}/{picture}", h.logo)
	for _, file := range []asset.File{asset.Stylesheet(), asset.Mark(), asset.FormPost(), asset.ShowPassword(), asset.Passkey()} {
		h.site.File("GET "+file.Path, file.Serve)
	}
}
