package identity

import (
	"net/http"

	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/web"
)

// logout answers GET /v1/oauth/logout (OpenID Connect RP-Initiated Logout §2): at
// once where the app shows an ID token of just this session, else after asking.
func (h *Host) logout(w http.ResponseWriter, r *http.Request) error {
	if err := noHead(w, r); err != nil {
		return err
	}
	params, err := web.Query(r)
	if err != nil {
		return err
	}
	req, err := h.oauth.CheckLogout(r.Context(), params)
	if err != nil {
		return err
	}
	if req.Client != nil {
		web.NoteClient(r.Context(), req.Client.ID)
	}
	signIn, err := h.signIn(r)
	if err != nil {
		return err
	}
	if req.Trusted(signIn) {
		return h.signOut(w, r, req)
	}
	view := signOutView{carried: h.carried(w, r, journey{}), Logout: h.oauth.SealLogout(req, h.browserOf(w, r))}
	if req.Client != nil {
		view.App = req.Client.Name
	}
	if signIn != nil {
		view.Member = signIn.Member.Name
	}
	return h.signOutPage(w, r, view)
}

// logoutPost answers POST /v1/oauth/logout. Like authorize, it goes around as a
// GET, which brings the session's cookie.
func (h *Host) logoutPost(w http.ResponseWriter, r *http.Request) error {
	form, err := formAndQuery(w, r)
	if err != nil {
		return err
	}
	return sendAround(w, r, oauth.LogoutPath, form)
}

// signOut ends the session of this browser and leads the member back to the app,
// or to a page that says what happened.
func (h *Host) signOut(w http.ResponseWriter, r *http.Request, req *oauth.LogoutRequest) error {
	if err := h.accounts.SignOut(r.Context(), h.session.Read(r)); err != nil {
		return err
	}
	h.session.Clear(w)
	if to := req.Location(); to != "" {
		return web.SeeOther(w, r, to)
	}
	return web.SeeOther(w, r, "/signed-out")
}

// showSignedOut answers GET /signed-out: what is true now.
func (h *Host) showSignedOut(w http.ResponseWriter, r *http.Request) error {
	signIn, err := h.signIn(r)
	if err != nil {
		return err
	}
	if signIn != nil {
		return web.SeeOther(w, r, "/")
	}
	return h.signedOutPage(w)
}

// showSignOut answers GET /signout: a question, since a link changes nothing.
func (h *Host) showSignOut(w http.ResponseWriter, r *http.Request) error {
	j, err := h.queryJourney(w, r)
	if err != nil {
		return err
	}
	signIn, err := h.signIn(r)
	if err != nil {
		return err
	}
	if signIn == nil {
		return web.SeeOther(w, r, withJourney("/signin", j))
	}
	return h.signOutPage(w, r, signOutView{carried: h.carried(w, r, j), Member: signIn.Member.Name})
}

// postSignOut answers POST /signout: the session ends. An app that asked for it
// gets the member back; a request that was on its way begins again with sign-in.
func (h *Host) postSignOut(w http.ResponseWriter, r *http.Request) error {
	form, j, err := h.posted(w, r)
	if err != nil {
		return err
	}
	if text := form.Get("logout"); text != "" {
		req, err := h.oauth.OpenLogout(r.Context(), text, h.browser.Read(r))
		if err != nil {
			return err
		}
		return h.signOut(w, r, req)
	}
	if err := h.accounts.SignOut(r.Context(), h.session.Read(r)); err != nil {
		return err
	}
	h.session.Clear(w)
	return web.SeeOther(w, r, withJourney("/signin", j))
}
