package visitor

import (
	"context"
	"net/http"
	"net/url"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/web"
)

// Where the steps of a journey take place.
const (
	NextPath      = "/continue" // decides what is next
	SignInPath    = "/signin"
	ChoicePath    = "/choose"
	NoticePath    = "/notice"
	TestPath      = "/test-member" // the app's developer may become a test member
	ConsentPath   = "/consent"
	SignedOutPath = "/signed-out"
	HomePath      = "/"
)

// Journey is what a page goes on with: an app's request, the way back to a page of
// the account, or nothing, where a member came by themselves.
type Journey struct {
	text         string // as pages carry it; empty: nothing
	continuation oauth.Continuation
	back         ownPage
}

// Travels reports whether an app's request goes on.
func (j Journey) Travels() bool { return j.text != "" && j.back.path == "" }

// Continuation is the app's request on its way.
func (j Journey) Continuation() oauth.Continuation { return j.continuation }

// Text is the journey as pages carry it; empty where nothing travels.
func (j Journey) Text() string { return j.text }

// At adds what a page goes on with to the page's address.
func (j Journey) At(page string) string {
	if j.text == "" {
		return page
	}
	return page + j.query()
}

// Next is where a step leads: to what decides on the app's request, or on the
// member's own way.
func (j Journey) Next() string {
	if !j.Travels() {
		return j.At(HomePath)
	}
	return j.At(NextPath)
}

// Asked opens the journey of a page that is asked for by GET.
func (v *Visitors) Asked(r *http.Request) (Journey, error) {
	params, err := web.Query(r, "continue")
	if err != nil {
		return Journey{}, err
	}
	if values := params["continue"]; len(values) > 1 {
		return Journey{}, loop.Errorf(loop.InvalidRequest, "This address names two requests. Go back to the app and start again.")
	}
	return v.open(r, params.Get("continue"))
}

// Posted reads a form of one of the host's pages and opens the journey that it
// carries.
func (v *Visitors) Posted(w http.ResponseWriter, r *http.Request) (url.Values, Journey, error) {
	form, err := v.Form(w, r)
	if err != nil {
		return nil, Journey{}, err
	}
	j, err := v.open(r, form.Get("continue"))
	return form, j, err
}

// Resumed opens a journey that a link in a mail carries; none where it belongs to
// another browser, or is over.
func (v *Visitors) Resumed(r *http.Request, text string) Journey {
	j, err := v.open(r, text)
	if err != nil {
		return Journey{}
	}
	return j
}

func (v *Visitors) open(r *http.Request, text string) (Journey, error) {
	if text == "" {
		return Journey{}, nil
	}
	if j, ok := readBack(text); ok {
		return j, nil
	}
	c, err := v.oauth.OpenContinuation(r.Context(), text, v.Browsers(r))
	if err == nil {
		noteJourney(r.Context(), c)
	}
	return Journey{text: text, continuation: c}, err
}

// Start begins the journey of an app's request, bound to the browser.
func (v *Visitors) Start(w http.ResponseWriter, r *http.Request, asked oauth.RawRequest) Journey {
	c := oauth.Continuation{RawRequest: asked, Progress: oauth.Progress{Began: v.site.World.Now()}, Browser: v.Browser(w, r)}
	noteJourney(r.Context(), c)
	return v.seal(c)
}

// Progress is the journey a step further on; without an app's request, the same.
func (v *Visitors) Progress(j Journey, made func(*oauth.Progress)) Journey {
	if !j.Travels() {
		return j
	}
	c := j.continuation
	made(&c.Progress)
	return v.seal(c)
}

func (v *Visitors) seal(c oauth.Continuation) Journey {
	return Journey{text: v.oauth.Forms.SealContinuation(c), continuation: c}
}

// Step checks the app's request afresh and says what it needs next. A refusal is
// an *oauth.AuthorizationError.
func (v *Visitors) Step(ctx context.Context, j Journey, signIn *loop.SignIn) (*oauth.AuthorizationRequest, oauth.Step, error) {
	req, err := v.oauth.CheckAuthorizationRequest(ctx, j.continuation.RawRequest)
	if err != nil {
		return nil, 0, err
	}
	step, err := v.oauth.NextStep(ctx, req, j.continuation.Progress, signIn)
	return req, step, err
}

// ErrNoJourney is returned where only an app's request leads and there is none.
var ErrNoJourney = loop.Errorf(loop.InvalidRequest, "This page belongs to an app's request. Go back to the app and start again.").Worded("fault.no_journey")

// AskedByApp opens a page that only an app's request leads to.
func (v *Visitors) AskedByApp(r *http.Request) (Journey, *loop.SignIn, error) {
	j, err := v.Asked(r)
	if err == nil && !j.Travels() {
		err = ErrNoJourney
	}
	if err != nil {
		return Journey{}, nil, err
	}
	signIn, err := v.SignIn(r)
	return j, signIn, err
}

// PostedForApp reads a form that only an app's request leads to.
func (v *Visitors) PostedForApp(w http.ResponseWriter, r *http.Request) (url.Values, Journey, *loop.SignIn, error) {
	form, j, err := v.Posted(w, r)
	if err == nil && !j.Travels() {
		err = ErrNoJourney
	}
	if err != nil {
		return nil, Journey{}, nil, err
	}
	signIn, err := v.SignIn(r)
	return form, j, signIn, err
}

// OpenLogout reads an app's request to sign out that a page of this browser carried.
func (v *Visitors) OpenLogout(r *http.Request, text string) (*oauth.LogoutRequest, error) {
	return v.oauth.OpenLogout(r.Context(), text, v.Browsers(r))
}
