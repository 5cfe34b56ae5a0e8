package portal

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/web"
)

// The playground's addresses.
const (
	playPath         = "/playground"
	playCallbackPath = "/playground/callback"
)

// playgroundView is the data of playground.html.
type playgroundView struct {
	web.PortalFrame
	Forms  string    // the token of the page's own forms
	Apps   []playApp // to choose from, where no walk has begun
	Scopes []scopeChoice
	Steps  []string
	At     int // how many steps are behind

	Name      string // of the app
	Walk      *play
	Authorize *playRequest // the next step is the browser's
	Sent      *playAnswer  // what was sent last, with its answer
	Token     *decodedToken
	Next      []playRequest
	Note      string // what kept a step from being taken
}

// playApp is an app that can be played.
type playApp struct {
	ID      loop.ClientID
	Name    string
	Path    string
	Secret  bool // it proves itself with one
	Ready   bool // the playground is among its redirect URIs
	Ours    bool // the ready-made one
	Chosen  bool
	Because string // why it can't be played; empty: it can
}

var playSteps = []string{"Choose an app", "The member allows it", "Exchange the code", "Use, refresh, revoke"}

// PlayCallbackURL is where the members of an app that is played return to.
func PlayCallbackURL(developers *url.URL) loop.RedirectURI {
	return loop.RedirectURI(developers.JoinPath(playCallbackPath).String())
}

// showPlayground answers GET /playground.
func (h *Host) showPlayground(w http.ResponseWriter, r *http.Request, dev *developer) error {
	return h.playPage(w, r, dev, h.readPlay(r), nil, "")
}

// play answers POST /playground: it takes the step that the form names. A step that
// can't be taken any more is passed over, and the page says so.
func (h *Host) play(w http.ResponseWriter, r *http.Request, dev *developer) error {
	form, err := h.form(w, r, dev)
	if errors.Is(err, errOldForm) {
		return web.SeeOther(w, r, playPath)
	}
	if err != nil {
		return err
	}
	walk, action := h.readPlay(r), form.Get("action")
	switch {
	case action == "leave":
		h.playing.Clear(w)
		return web.SeeOther(w, r, playPath)
	case action == "begin" && walk == nil:
		return h.beginPlay(w, r, dev, form)
	case walk == nil:
		return h.playPage(w, r, dev, nil, nil, "This walk is over: it lasts an hour at most. Begin another one.")
	}
	return h.takeStep(w, r, dev, walk, action)
}

// beginPlay begins a walk with one of the developer's apps, or the ready-made one.
func (h *Host) beginPlay(w http.ResponseWriter, r *http.Request, dev *developer, form sentForm) error {
	app, err := h.appToPlay(r.Context(), dev, loop.ClientID(form.Get("client_id")))
	if err != nil {
		return err
	}
	asked := loop.Scopes{}
	for _, name := range form.Values["scope"] {
		asked = asked.Or(loop.NewScopes(loop.Scope(name)))
	}
	asked = asked.And(app.AllowedScopes)
	switch {
	case !h.ready(app):
		return h.playPage(w, r, dev, nil, nil, "The playground is not among this app's redirect URIs yet. Add it first, by the button beside the app.")
	case len(asked) == 0:
		return h.playPage(w, r, dev, nil, nil, "Choose at least one scope that the app may ask for.")
	}
	walk := &play{
		Member: dev.Member, Client: app.ID, Scope: asked.String(), BeganAt: h.site.World.Now(),
		State: h.random(), Nonce: h.random(), Verifier: h.random(),
	}
	if app.Protocol.AuthMethod.BySecret() {
		walk.Secret = strings.TrimSpace(form.Get("client_secret"))
	}
	if err := h.keepPlay(w, walk); err != nil {
		return err
	}
	return h.playPage(w, r, dev, walk, nil, "")
}

// appToPlay is the app with the id, where the developer may play it: NotFound for one
// that is somebody else's.
func (h *Host) appToPlay(ctx context.Context, dev *developer, id loop.ClientID) (*loop.Client, error) {
	missing := loop.Errorf(loop.NotFound, "There is no such app among yours that is in development mode and can be played.")
	if !id.Valid() {
		return nil, missing
	}
	app, err := h.clients.Store.Client(ctx, id)
	if errors.Is(err, loop.ErrNotFound) || err == nil && (app.Owner != dev.Member && id != h.readyMade || !playable(app)) {
		return nil, missing
	}
	return app, err
}

// playAnswered answers GET /playground/callback: what came back from identity is looked
// at as an app has to: state first, then the issuer, then error or code.
func (h *Host) playAnswered(w http.ResponseWriter, r *http.Request, dev *developer) error {
	params, err := web.Query(r, "state", "iss", "code", "error")
	if err != nil {
		return err
	}
	walk := h.readPlay(r)
	if walk == nil || len(params["state"]) != 1 || subtle.ConstantTimeCompare([]byte(walk.State), []byte(params.Get("state"))) != 1 || walk.hasTokens() {
		return loop.Errorf(loop.InvalidRequest, "This answer belongs to no walk through the playground that is under way in this browser: its state is another one. An app refuses it too.")
	}
	if params.Get("iss") != h.identity.issuer {
		return loop.Errorf(loop.InvalidRequest, "This answer names another issuer than %s. An app refuses it too (RFC 9207).", h.identity.issuer)
	}
	walk.Code, walk.Refused = params.Get("code"), ""
	if refused := loop.Code(params.Get("error")); slices.Contains(loop.Codes(), refused) {
		walk.Code, walk.Refused = "", refused
	}
	if err := h.keepPlay(w, walk); err != nil {
		return err
	}
	return web.SeeOther(w, r, playPath)
}

// takeStep sends the request that the action names, where that can be sent now.
func (h *Host) takeStep(w http.ResponseWriter, r *http.Request, dev *developer, walk *play, action string) error {
	app, err := h.appToPlay(r.Context(), dev, walk.Client)
	if err != nil {
		return err
	}
	next := h.nextRequests(walk, app)
	at := slices.IndexFunc(next, func(q playRequest) bool { return q.Action == action })
	if at < 0 {
		return h.playPage(w, r, dev, walk, nil, "This step was taken before, or comes later. Here is where you are.")
	}
	answer, err := h.sendPlay(r.Context(), next[at], walk)
	if err != nil {
		return err
	}
	walk.take(action, answer)
	if err := h.keepPlay(w, walk); err != nil {
		return err
	}
	return h.playPage(w, r, dev, walk, answer, "")
}

// take keeps what an answer brought. A code is used up by its exchange, whatever came
// of it, but where the app did not prove itself.
func (p *play) take(action string, a *playAnswer) {
	if action == "exchange" && a.Error != loop.InvalidClient {
		p.Code = ""
	}
	if !a.ok || action != "exchange" && action != "refresh" {
		return
	}
	p.Used, p.Access, p.Refresh = p.Refresh, a.body.Access, a.body.Refresh
	p.Scope = a.body.Scope
	if a.body.IDToken != "" {
		p.IDToken = a.body.IDToken
	}
}

// addPlayground answers POST /apps/{id}/playground: it adds the playground to the
// redirect URIs of an app in development mode.
func (h *Host) addPlayground(w http.ResponseWriter, r *http.Request, dev *developer, app *loop.Client) error {
	if !playable(app) {
		return loop.Errorf(loop.Forbidden, "The playground is for apps in development mode whose tokens need no key of the app's.")
	}
	form, err := h.form(w, r, dev)
	if errors.Is(err, errOldForm) {
		return web.SeeOther(w, r, playPath)
	}
	if err != nil {
		return err
	}
	act, _ := h.once(r, dev, form)
	err = act.Update(r.Context(), app.ID, func(c *loop.Client) {
		if !h.ready(c) {
			c.RedirectURIs = append(slices.Clone(c.RedirectURIs), h.playCallback)
		}
	})
	if err != nil && !errors.Is(err, registration.ErrSentBefore) {
		return err
	}
	return web.SeeOther(w, r, playPath)
}

func (h *Host) playPage(w http.ResponseWriter, r *http.Request, dev *developer, walk *play, sent *playAnswer, note string) error {
	view := playgroundView{PortalFrame: h.frame("playground", dev), Forms: h.newFormToken(dev.Member), Steps: playSteps, Walk: walk, Sent: sent, Note: note}
	if walk == nil {
		return h.beginningPage(w, r, dev, view)
	}
	app, err := h.appToPlay(r.Context(), dev, walk.Client)
	if err != nil {
		h.playing.Clear(w) // it was changed since, and the next visit begins anew
		return err
	}
	view.Name, view.Next = app.Name, h.nextRequests(walk, app)
	switch {
	case walk.hasTokens():
		view.At = 3
		if view.Token, err = h.decode(r.Context(), walk); err != nil {
			return err
		}
	case walk.Code != "":
		view.At = 2
	default:
		view.At = 1
		request := h.authorizationRequest(walk)
		view.Authorize = &request
	}
	return h.render(w, http.StatusOK, "playground", view)
}

// beginningPage is where the developer chooses an app.
func (h *Host) beginningPage(w http.ResponseWriter, r *http.Request, dev *developer, view playgroundView) error {
	own, err := h.clients.Store.ClientsOf(r.Context(), dev.Member)
	if err != nil {
		return err
	}
	readyMade, err := h.clients.Store.Client(r.Context(), h.readyMade)
	if err != nil {
		return err
	}
	view.Apps = append(view.Apps, playApp{ID: readyMade.ID, Name: readyMade.Name, Ready: h.ready(readyMade), Ours: true, Chosen: true})
	chosen := loop.ClientID(r.URL.Query().Get("app"))
	for _, app := range own {
		choice := playApp{ID: app.ID, Name: app.Name, Path: appPath(app.ID), Secret: app.Protocol.AuthMethod.BySecret(), Ready: h.ready(app), Chosen: app.ID == chosen && h.ready(app)}
		if !playable(app) {
			choice.Because = "It is disabled, in production, a service, or its tokens need a key of its own."
		}
		view.Apps = append(view.Apps, choice)
	}
	for _, row := range loop.ScopeRegistry() {
		if readyMade.AllowedScopes.Has(row.Scope) {
			view.Scopes = append(view.Scopes, scopeChoice{ScopeInfo: row, Title: h.english.ScopeTitle(row.Scope), Ticked: row.Scope != loop.ScopeEmail})
		}
	}
	return h.render(w, http.StatusOK, "playground", view)
}
