package identity

import (
	"net/http"
	"net/url"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/web"
)

// showConsent answers GET /consent: the page, or whatever else the request needs
// by now.
func (h *Host) showConsent(w http.ResponseWriter, r *http.Request) error {
	j, signIn, err := h.travelling(w, r)
	if err != nil {
		return err
	}
	req, step, err := h.step(r, j.continuation, signIn)
	if err != nil {
		return h.refuse(w, r, err, acted)
	}
	web.NoteClient(r.Context(), req.Client.ID)
	switch step {
	case oauth.StepConsent:
		return h.consentPage(w, r, j, req, signIn)
	case oauth.StepContinue:
		return h.continuePage(w, r, j, req, signIn)
	default:
		return h.advance(w, r, j.continuation, signIn, acted)
	}
}

// travelling opens a page that only an app's request leads to.
func (h *Host) travelling(w http.ResponseWriter, r *http.Request) (journey, *oauth.SignIn, error) {
	j, err := h.queryJourney(w, r)
	if err != nil {
		return journey{}, nil, err
	}
	if !j.travels() {
		return journey{}, nil, errNoJourney
	}
	signIn, err := h.signIn(r)
	return j, signIn, err
}

// postedTravelling reads a form that only an app's request leads to.
func (h *Host) postedTravelling(w http.ResponseWriter, r *http.Request) (url.Values, journey, *oauth.SignIn, error) {
	form, j, err := h.posted(w, r)
	if err == nil && !j.travels() {
		err = errNoJourney
	}
	if err != nil {
		return nil, journey{}, nil, err
	}
	signIn, err := h.signIn(r)
	return form, j, signIn, err
}

var errNoJourney = loop.Errorf(loop.InvalidRequest, "This page belongs to an app's request. Go back to the app and start again.")

// postConsent answers POST /consent. What is decided holds for the member who is
// signed in now and for exactly what the page showed them; where anything of it
// has changed, the page is shown again and nothing is granted.
func (h *Host) postConsent(w http.ResponseWriter, r *http.Request) error {
	form, j, signIn, err := h.postedTravelling(w, r)
	if err != nil {
		return err
	}
	req, step, err := h.step(r, j.continuation, signIn)
	if err != nil {
		return h.refuse(w, r, err, acted)
	}
	web.NoteClient(r.Context(), req.Client.ID)
	if step != oauth.StepConsent && step != oauth.StepContinue {
		return h.advance(w, r, j.continuation, signIn, acted)
	}
	shown, ok := h.oauth.CheckTicket(form.Get("ticket"), req, signIn)
	if !ok {
		return web.SeeOther(w, r, withJourney("/consent", j))
	}
	return h.decide(w, r, req, signIn, form, shown)
}

// decide carries out what the member pressed.
func (h *Host) decide(w http.ResponseWriter, r *http.Request, req *oauth.AuthorizationRequest, signIn *oauth.SignIn, form url.Values, shown loop.Scopes) error {
	allowed, err := tickedScopes(form, shown)
	if err != nil {
		return err
	}
	var done *oauth.Authorized
	switch form.Get("decision") {
	case "allow":
		done, err = h.oauth.Allow(r.Context(), req, signIn, oauth.Consent{Shown: shown, Allowed: allowed})
	case "continue":
		done, err = h.oauth.IssueCode(r.Context(), req, signIn)
	case "deny":
		err = h.oauth.Deny(r.Context(), req, signIn)
	default:
		return loop.Errorf(loop.InvalidRequest, "Neither Allow nor Deny was pressed. Go back and choose one.")
	}
	if err != nil {
		return h.refuse(w, r, err, acted)
	}
	return h.succeed(w, r, done)
}

// tickedScopes reads the boxes of the consent form: only what was shown can be
// ticked.
func tickedScopes(form url.Values, shown loop.Scopes) (loop.Scopes, error) {
	var ticked []loop.Scope
	for _, value := range form["scope"] {
		if !shown.Has(loop.Scope(value)) {
			return nil, loop.Errorf(loop.InvalidRequest, "This form allows something that the page did not show. Nothing was allowed.")
		}
		ticked = append(ticked, loop.Scope(value))
	}
	return loop.NewScopes(ticked...), nil
}

// showChoice answers GET /account: with which account to go on
// (prompt=select_account).
func (h *Host) showChoice(w http.ResponseWriter, r *http.Request) error {
	j, signIn, err := h.travelling(w, r)
	if err != nil {
		return err
	}
	req, step, err := h.step(r, j.continuation, signIn)
	if err != nil {
		return h.refuse(w, r, err, acted)
	}
	if step != oauth.StepChooseAccount {
		return h.advance(w, r, j.continuation, signIn, acted)
	}
	return h.choicePage(w, r, j, req, signIn)
}

// postChoice answers POST /account: go on as who is signed in. Another account
// is chosen by signing in.
func (h *Host) postChoice(w http.ResponseWriter, r *http.Request) error {
	form, j, signIn, err := h.postedTravelling(w, r)
	if err != nil {
		return err
	}
	if signIn != nil && form.Get("member") == string(signIn.Member.ID) {
		j.continuation.Progress.Chosen = true
	}
	return h.advance(w, r, j.continuation, signIn, acted)
}
