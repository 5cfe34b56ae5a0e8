package identity

import (
	"net/http"

	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// logout answers GET /v1/oauth/logout (OpenID Connect RP-Initiated Logout §2): at
// once where the app shows an ID token of just this session, else after asking.
func (h *Host) logout(w http.ResponseWriter, r *http.Request) error {
	params, err := web.Query(r, parameterNames...)
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
	signIn, err := h.visitors.SignIn(r)
	if err != nil {
		return err
	}
	if req.Trusted(signIn) {
		return h.signOut(w, r, req)
	}
	view := logoutView{Carried: h.visitors.Carry(w, r, visitor.Journey{}), Logout: h.oauth.Forms.SealLogout(req, h.visitors.Browser(w, r))}
	view.Here = oauth.LogoutPath // without what was sent, of which nothing may be proven
	if req.Client != nil {
		view.App = req.Client.Name
	}
	if signIn != nil {
		view.Member = signIn.Member.Name
	}
	return h.visitors.Show(w, r, h.pages, "logout", view, nil)
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
	if err := h.signIns.SignOut(r.Context(), h.visitors.Session(r)); err != nil {
		return err
	}
	h.visitors.End(w)
	if to := req.Location(); to != "" {
		return web.SeeOther(w, r, to)
	}
	return web.SeeOther(w, r, visitor.SignedOutPath)
}

// confirmLogout answers POST /logout: the member agrees to an app's request.
func (h *Host) confirmLogout(w http.ResponseWriter, r *http.Request) error {
	form, err := h.visitors.Form(w, r)
	if err != nil {
		return err
	}
	req, err := h.visitors.OpenLogout(r, form.Get("logout"))
	if err != nil {
		return err
	}
	return h.signOut(w, r, req)
}

// logoutView is the data of logout.html.
type logoutView struct {
	visitor.Carried
	Member string // empty: nobody is signed in
	App    string // that asks for it; empty: nobody in particular
	Logout string // the app's request, sealed
}
