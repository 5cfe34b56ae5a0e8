package identity

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// authorize answers GET /v1/oauth/authorize (RFC 6749 §3.1).
func (h *Host) authorize(w http.ResponseWriter, r *http.Request) error {
	if err := h.limitAuthorize(w, r); err != nil {
		return err
	}
	if err := web.RefuseHead(w, r); err != nil {
		return err
	}
	params, err := web.Query(r, parameterNames...)
	if err != nil {
		return err
	}
	web.NoteParameters(r.Context(), params)
	asked, err := h.oauth.Resolve(r.Context(), params)
	if err != nil {
		return h.refuse(w, r, err, untouched)
	}
	signIn, err := h.visitors.SignIn(r)
	if err != nil {
		return err
	}
	return h.advance(w, r, h.visitors.Start(w, r, asked), signIn, untouched)
}

// showNext answers GET /continue: it takes an app's request on to what it needs by
// now, wherever the member comes from.
func (h *Host) showNext(w http.ResponseWriter, r *http.Request) error {
	j, signIn, err := h.visitors.AskedByApp(r)
	if err != nil {
		return err
	}
	if h.visitors.Waits(r) != "" { // whoever is signed in: a right password was typed, maybe another member's
		return web.SeeOther(w, r, j.At(visitor.CodePath))
	}
	return h.advance(w, r, j, signIn, acted)
}

// authorizePost answers POST /v1/oauth/authorize. A post from another site
// brings no Lax cookie, so it is sent around as a GET before the session is
// judged. What stands in query and body both is there twice.
func (h *Host) authorizePost(w http.ResponseWriter, r *http.Request) error {
	if err := h.limitAuthorize(w, r); err != nil {
		return err
	}
	form, err := formAndQuery(w, r)
	if err != nil {
		return err
	}
	return sendAround(w, r, oauth.AuthorizePath, form)
}

// sendAround has a browser ask by GET for what it has posted.
func sendAround(w http.ResponseWriter, r *http.Request, path string, form url.Values) error {
	to := path + "?" + form.Encode()
	if len(to) > web.MaxURILength {
		return loop.Errorf(loop.PayloadTooLarge, "The request is longer than %d bytes, and a browser has to carry it in an address. Send less; an authorization request can be pushed to %s.", web.MaxURILength, oauth.PushedPath)
	}
	return web.SeeOther(w, r, to)
}

// formAndQuery reads the parameters of a post from another site.
func formAndQuery(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	form, err := web.Form(w, r, parameterNames...)
	if err != nil {
		return nil, err
	}
	query, err := web.Query(r, parameterNames...)
	if err != nil {
		return nil, err
	}
	for name, values := range query {
		form[name] = append(form[name], values...)
	}
	return form, nil
}

// touch says whether the member has acted on this request yet. Until they have,
// an error for an app that nobody vouches for does not leave by itself.
type touch bool

const (
	untouched touch = false
	acted     touch = true
)

// advance brings an authorization request one step on: to the page that it
// needs next, or to its answer.
func (h *Host) advance(w http.ResponseWriter, r *http.Request, j visitor.Journey, signIn *loop.SignIn, by touch) error {
	req, step, err := h.visitors.Step(r.Context(), j, signIn)
	if err != nil {
		return h.refuse(w, r, err, by)
	}
	web.NoteClient(r.Context(), req.Client.ID)
	if page := pageFor(step, j, signIn); page != "" {
		return web.SeeOther(w, r, j.At(page))
	}
	done, err := h.oauth.IssueCode(r.Context(), req, signIn)
	if err != nil {
		return h.refuse(w, r, err, by)
	}
	return h.succeed(w, r, done)
}

// pageFor is where a step takes place; empty: a code can be issued. Who has signed
// in on the way reads first what waits for them.
func pageFor(step oauth.Step, j visitor.Journey, signIn *loop.SignIn) string {
	switch {
	case step == oauth.StepSignIn:
		return visitor.SignInPath
	case j.Continuation().Progress.SignedIn && signIn.Member.Notice != "":
		return visitor.NoticePath
	case step == oauth.StepChooseAccount:
		return visitor.ChoicePath
	case step == oauth.StepTestMember:
		return visitor.TestPath
	case step == oauth.StepDone:
		return ""
	}
	return visitor.ConsentPath
}

// succeed sends the code to the client (RFC 6749 §4.1.2, RFC 9207 §2).
func (h *Host) succeed(w http.ResponseWriter, r *http.Request, done *oauth.Authorized) error {
	return h.respond(w, r, &done.Answer, url.Values{"code": {done.Code}})
}

// refuse ends an authorization request with an error: on its way to the client
// where it may travel, else on a page.
func (h *Host) refuse(w http.ResponseWriter, r *http.Request, err error, by touch) error {
	refused, ok := errors.AsType[*oauth.AuthorizationError](err)
	if !ok {
		return err
	}
	if refused.To == nil {
		return h.authorizationErrorPage(w, r, refused)
	}
	web.NoteClient(r.Context(), refused.To.Client.ID)
	web.NoteError(r.Context(), refused.Fault)
	params := url.Values{
		"error":             {string(refused.Fault.Code)},
		"error_description": {describe(refused.Fault.Description)},
		"error_uri":         {h.site.ExplainURI(r.Context(), refused.Fault.Code)},
	}
	if by == untouched && !refused.To.Client.Trusted(refused.To.RedirectURI) {
		return h.leavingPage(w, r, refused.To, h.withAnswer(refused.To, params))
	}
	return h.respond(w, r, refused.To, params)
}

// respond sends an authorization response by the request's response mode.
func (h *Host) respond(w http.ResponseWriter, r *http.Request, to *oauth.Answer, params url.Values) error {
	if to.Mode == oauth.FormPostMode {
		return h.formPostPage(w, r, to, h.answerParameters(to, params))
	}
	return web.SeeOther(w, r, h.withAnswer(to, params))
}

// answerParameters adds what every response carries: the state as it came and
// the issuer (RFC 9207 §2).
func (h *Host) answerParameters(to *oauth.Answer, params url.Values) url.Values {
	if to.State != "" {
		params.Set("state", to.State)
	}
	params.Set("iss", h.oauth.Issuer)
	return params
}

// withAnswer adds the response to the redirect URI.
func (h *Host) withAnswer(to *oauth.Answer, params url.Values) string {
	return to.RedirectURI.With(h.answerParameters(to, params))
}

// describe keeps a description within the characters that RFC 6749 §4.1.2.1
// allows: %x20-21, %x23-5B and %x5D-7E.
func describe(text string) string {
	out := []rune(text)
	for i, r := range out {
		if r < 0x20 || r > 0x7e || r == '"' || r == '\\' {
			out[i] = '\''
		}
	}
	return string(out)
}
