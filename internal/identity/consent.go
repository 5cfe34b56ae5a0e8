package identity

import (
	"cmp"
	"net/http"
	"net/url"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// showConsent answers GET /consent: the page, or whatever else the request needs
// by now.
func (h *Host) showConsent(w http.ResponseWriter, r *http.Request) error {
	j, signIn, err := h.visitors.AskedByApp(r)
	if err != nil {
		return err
	}
	req, step, err := h.visitors.Step(r.Context(), j, signIn)
	if err != nil {
		return h.refuse(w, r, err, acted)
	}
	web.NoteClient(r.Context(), req.Client.ID)
	switch step {
	case oauth.StepConsent:
		return h.consentPage(w, r, j, req, signIn, nil)
	case oauth.StepContinue:
		return h.continuePage(w, r, j, req, signIn)
	default:
		return web.SeeOther(w, r, j.Next())
	}
}

// postConsent answers POST /consent. What is decided holds for the member who is
// signed in now and for exactly what the page showed them; where anything of it
// has changed, the page is shown again and nothing is granted.
func (h *Host) postConsent(w http.ResponseWriter, r *http.Request) error {
	form, j, signIn, err := h.visitors.PostedForApp(w, r)
	if err != nil {
		return err
	}
	req, step, err := h.visitors.Step(r.Context(), j, signIn)
	if err != nil {
		return h.refuse(w, r, err, acted)
	}
	web.NoteClient(r.Context(), req.Client.ID)
	if step != oauth.StepConsent && step != oauth.StepContinue {
		return h.advance(w, r, j, signIn, acted)
	}
	shown, ok := h.oauth.Forms.CheckTicket(form.Get("ticket"), req, signIn, h.words[h.visitors.Language(r).Tag])
	if !ok {
		return web.SeeOther(w, r, j.At(visitor.ConsentPath))
	}
	if form.Get("decision") == "allow" && len(form["scope"]) == 0 && req.Client.Unregistered() && len(req.Needed()) == 0 {
		return h.consentPage(w, r, j, req, signIn, errNothingTicked) // of health data alone, nothing is ticked at first
	}
	return h.decide(w, r, req, signIn, form, shown)
}

// errNothingTicked is shown to a member who allows nothing of what the page shows.
var errNothingTicked = loop.Errorf(loop.ValidationError, "Allow was pressed, and nothing was ticked.").Worded("fault.nothing_ticked")

// decide carries out what the member pressed.
func (h *Host) decide(w http.ResponseWriter, r *http.Request, req *oauth.AuthorizationRequest, signIn *loop.SignIn, form url.Values, shown loop.Scopes) error {
	allowed, err := tickedScopes(form, shown)
	if err != nil {
		return err
	}
	var done *oauth.Authorized
	switch form.Get("decision") {
	case "allow":
		done, err = h.oauth.Allow(r.Context(), req, signIn, oauth.Consent{
			Shown: shown, Allowed: allowed, Term: cmp.Or(loop.Term(form.Get("term")), usualTerm(req.Client)), Page: h.pageShown(req, h.visitors.Language(r)),
		})
	case "continue":
		done, err = h.oauth.IssueCode(r.Context(), req, signIn)
	case "deny":
		err = h.oauth.Deny(r.Context(), req, signIn)
	default:
		return loop.Errorf(loop.InvalidRequest, "Neither Allow nor Deny was pressed. Go back and choose one.").Worded("fault.no_decision")
	}
	if err != nil {
		return h.refuse(w, r, err, acted)
	}
	return h.succeed(w, r, done)
}

// usualTerm is the term of a consent whose form names none.
func usualTerm(client *loop.Client) loop.Term {
	if client.Unregistered() {
		return loop.Term30Days
	}
	return loop.TermAsItWas
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
