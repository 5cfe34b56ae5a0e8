package portal

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
)

// logout answers POST /logout. It ends the portal's session; identity's stays,
// and the page that follows says so.
func (h *Host) logout(w http.ResponseWriter, r *http.Request) error {
	dev, err := h.developer(r)
	if err != nil {
		return err
	}
	if dev != nil {
		if _, err := h.form(w, r, dev); err != nil && !errors.Is(err, errOldForm) {
			return err
		}
		if err := h.sessions.EndPortalSession(r.Context(), dev.hash(), dev.expiresAt()); err != nil {
			return err
		}
	}
	h.session.Clear(w)
	h.secret.Clear(w)
	h.kept.Clear(w)
	h.playing.Clear(w)
	return web.SeeOther(w, r, "/signed-out")
}

// LogoutPath is where identity says that a sign-in has ended.
const LogoutPath = "/backchannel-logout"

// BackchannelLogoutURL is where the portal's client is notified of it.
func BackchannelLogoutURL(developers *url.URL) string {
	return developers.JoinPath(LogoutPath).String()
}

// backchannelLogout answers POST /backchannel-logout (OpenID Connect Back-Channel
// Logout §2.5): a sign-in has ended at identity, and with it every session here that
// came from it. A token that comes again ends nothing new.
func (h *Host) backchannelLogout(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(w, r, "logout_token")
	if err != nil {
		return err
	}
	if len(form["logout_token"]) != 1 {
		return loop.Errorf(loop.InvalidRequest, "Send one logout_token.").About("logout_token")
	}
	sid, err := h.identity.endedSignIn(r.Context(), form.Get("logout_token"))
	if err != nil {
		return err
	}
	if err := h.sessions.EndPortalSession(r.Context(), signInHash(sid), h.site.World.Now().Add(sessionLife)); err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	return nil
}
