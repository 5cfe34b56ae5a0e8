package identity

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/web"
)

// journey is what a page goes on with: the app's request, or nothing, where a
// member came by themselves.
type journey struct {
	text         string // the continuation as pages carry it; empty: none
	continuation oauth.Continuation
}

// journeyOf opens the continuation that a page was called with.
func (h *Host) journeyOf(ctx context.Context, text, browser string) (journey, error) {
	if text == "" {
		return journey{}, nil
	}
	c, err := h.oauth.OpenContinuation(ctx, text, browser)
	return journey{text, c}, err
}

// travels reports whether an app's request goes on.
func (j journey) travels() bool { return j.text != "" }

// queryJourney opens the journey of a page that is asked for by GET.
func (h *Host) queryJourney(w http.ResponseWriter, r *http.Request) (journey, error) {
	params, err := web.Query(r)
	if err != nil {
		return journey{}, err
	}
	if values := params["continue"]; len(values) > 1 {
		return journey{}, loop.Errorf(loop.InvalidRequest, "This address names two requests. Go back to the app and start again.")
	}
	return h.journeyOf(r.Context(), params.Get("continue"), h.browserOf(w, r))
}

// posted reads a form of one of the host's pages and opens the journey that it
// carries.
func (h *Host) posted(w http.ResponseWriter, r *http.Request) (url.Values, journey, error) {
	form, err := h.form(w, r)
	if err != nil {
		return nil, journey{}, err
	}
	j, err := h.journeyOf(r.Context(), form.Get("continue"), h.browser.Read(r))
	return form, j, err
}

// proceed goes on after a member has signed in: by way of a notice, if one
// waits, to the app's request or to the member's own page.
func (h *Host) proceed(w http.ResponseWriter, r *http.Request, j journey, cookie credential.Secret, m *loop.Member) error {
	h.session.Set(w, cookie.Reveal(), member.CookieLifetime())
	h.remember(w, r, m)
	web.NoteMember(r.Context(), m.ID)
	if m.Notice != "" {
		return web.SeeOther(w, r, withJourney("/notice", j))
	}
	if !j.travels() {
		return web.SeeOther(w, r, "/")
	}
	session, m, err := h.accounts.Resume(r.Context(), cookie.Reveal())
	if err != nil {
		return err
	}
	return h.advance(w, r, j.continuation, &oauth.SignIn{Session: session.ID, Member: m, AuthTime: session.AuthTime}, acted)
}

// showSignIn answers GET /signin.
func (h *Host) showSignIn(w http.ResponseWriter, r *http.Request) error {
	j, err := h.queryJourney(w, r)
	if err != nil {
		return err
	}
	return h.signInPage(w, r, j, loginHint(j), nil)
}

// loginHint is the address that the app thinks the member will sign in with
// (OpenID Connect Core §3.1.2.1); only a well-formed one is shown.
func loginHint(j journey) string {
	hint, err := loop.ParseEmail(j.continuation.Parameters.Get("login_hint"))
	if err != nil {
		return ""
	}
	return string(hint)
}

// postSignIn answers POST /signin.
func (h *Host) postSignIn(w http.ResponseWriter, r *http.Request) error {
	form, j, err := h.posted(w, r)
	if err != nil {
		return err
	}
	cookie, m, err := h.accounts.SignIn(r.Context(), member.Credentials{
		Email: form.Get("email"), Password: form.Get("password"), Before: h.session.Read(r), Device: h.deviceOf(r, form.Get("email")),
	})
	if fault, ok := fieldFault(err); ok {
		return h.signInPage(w, r, j, form.Get("email"), fault)
	}
	if err != nil {
		return err
	}
	return h.proceed(w, r, j, cookie, m)
}

// showSignUp answers GET /signup.
func (h *Host) showSignUp(w http.ResponseWriter, r *http.Request) error {
	j, err := h.queryJourney(w, r)
	if err != nil {
		return err
	}
	return h.signUpPage(w, r, j, member.Registration{Email: loginHint(j)}, nil)
}

// postSignUp answers POST /signup.
func (h *Host) postSignUp(w http.ResponseWriter, r *http.Request) error {
	form, j, err := h.posted(w, r)
	if err != nil {
		return err
	}
	sent := member.Registration{
		Name: form.Get("name"), Email: form.Get("email"), Password: form.Get("password"), Before: h.session.Read(r),
	}
	cookie, m, err := h.accounts.SignUp(r.Context(), sent)
	if fault, ok := fieldFault(err); ok {
		return h.signUpPage(w, r, j, sent, fault)
	}
	if err != nil {
		return err
	}
	return h.proceed(w, r, j, cookie, m)
}

// fieldFault finds an error that belongs beside the form that caused it.
func fieldFault(err error) (*loop.Error, bool) {
	e, ok := errors.AsType[*loop.Error](err)
	return e, ok && (e.Code == loop.ValidationError || e.Code == loop.RateLimited)
}

// showNotice answers GET /notice: what a member has to know before they go on.
func (h *Host) showNotice(w http.ResponseWriter, r *http.Request) error {
	j, err := h.queryJourney(w, r)
	if err != nil {
		return err
	}
	signIn, err := h.signIn(r)
	if err != nil {
		return err
	}
	if signIn == nil || signIn.Member.Notice == "" {
		return web.SeeOther(w, r, withJourney("/", j))
	}
	return h.noticePage(w, r, j, signIn.Member.Notice)
}

// postNotice answers POST /notice: the member has read it.
func (h *Host) postNotice(w http.ResponseWriter, r *http.Request) error {
	_, j, err := h.posted(w, r)
	if err != nil {
		return err
	}
	signIn, err := h.signIn(r)
	if err != nil {
		return err
	}
	if signIn != nil {
		if err := h.accounts.Dismiss(r.Context(), signIn.Member.ID); err != nil {
			return err
		}
	}
	if !j.travels() {
		return web.SeeOther(w, r, "/")
	}
	return h.advance(w, r, j.continuation, signIn, acted)
}

// showHome answers GET /: who is signed in here.
func (h *Host) showHome(w http.ResponseWriter, r *http.Request) error {
	j, err := h.queryJourney(w, r)
	if err != nil {
		return err
	}
	signIn, err := h.signIn(r)
	if err != nil {
		return err
	}
	if j.travels() {
		return h.advance(w, r, j.continuation, signIn, acted)
	}
	if signIn == nil {
		return web.SeeOther(w, r, "/signin")
	}
	return h.homePage(w, r, signIn.Member)
}

// withJourney adds what a page goes on with to its address.
func withJourney(page string, j journey) string {
	if !j.travels() {
		return page
	}
	return page + "?continue=" + j.text // base64url: nothing to escape
}

func isNotFound(err error) bool { return errors.Is(err, loop.ErrNotFound) }
