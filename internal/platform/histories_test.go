package platform_test

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// TestHistories_WhatHasEndedIsGoodForNothing runs random histories of apps and
// members through the HTTP handlers. Each answer, and after each step what was
// ever given out, is held against the model.
func TestHistories_WhatHasEndedIsGoodForNothing(t *testing.T) {
	t.Parallel()
	for name, app := range map[string]string{
		"of an app on a server":                   "server",
		"of one that may try a refresh again":     "graced",
		"of a public app":                         "phone",
		"of an app of the profile fapi2, by DPoP": "bank",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(rt *rapid.T) {
				h := newHistory(t, rt, app)
				rt.Repeat(map[string]func(*rapid.T){
					"":                             h.check,
					"an app is connected":          h.connects,
					"an app asks":                  h.asks,
					"a code is redeemed":           h.redeems,
					"a code is presented":          h.presents,
					"the newest token is used":     h.refreshes,
					"a refresh token is presented": h.presentsRefresh,
					"a token is given back":        h.givesBack,
					"a token is asked about":       h.introspects,
					"results are read":             h.reads,
					"something is taken away":      h.takesAway,
					"it is given again":            h.gives,
					"the platform is looked after": h.looksAfter,
					"time passes":                  h.waits,
				})
			})
		})
	}
}

// history is a platform and the model of it.
type history struct {
	*platformtest.Platform
	model model
	rt    *rapid.T
	t     testing.TB // fails the history, not the test: it is shrunk first

	apps    map[string]*historyApp
	members map[string]*historyMember

	// Everything that was ever given out, as its app holds it.
	codes   []heldCode
	refresh []heldRefresh
	access  []heldAccess
	checked int // the refresh token that the next check begins with
}

type (
	historyApp struct {
		*platformtest.App
		name  string
		model *modelApp
	}
	historyMember struct {
		*loop.Member
		model *modelMember
	}
	heldCode struct {
		*modelCode
		app  *historyApp
		text string
	}
	heldRefresh struct {
		chain  *modelChain
		number int // in its chain
		app    *historyApp
		text   string
	}
	heldAccess struct {
		*modelAccess
		app  *historyApp
		text string
	}
)

// shrinking fails a history where the helpers of platformtest would fail the test.
type shrinking struct {
	testing.TB
	rt *rapid.T
}

func (s shrinking) Helper()                           {}
func (s shrinking) Context() context.Context          { return s.rt.Context() }
func (s shrinking) Cleanup(f func())                  { s.rt.Cleanup(f) }
func (s shrinking) Error(args ...any)                 { s.rt.Error(args...) }
func (s shrinking) Errorf(format string, args ...any) { s.rt.Errorf(format, args...) }
func (s shrinking) Fatal(args ...any)                 { s.rt.Fatal(args...) }
func (s shrinking) Fatalf(format string, args ...any) { s.rt.Fatalf(format, args...) }

// TempDir is a folder that goes with the history: there are many.
func (s shrinking) TempDir() string {
	folder, err := os.MkdirTemp("", "history-")
	if err != nil {
		s.rt.Fatal(err)
	}
	s.rt.Cleanup(func() { _ = os.RemoveAll(folder) })
	return folder
}

// newHistory starts a platform with an app, and sometimes another, and one or two
// members: of few more can be said.
func newHistory(t *testing.T, rt *rapid.T, app string) *history {
	tb := shrinking{t, rt}
	h := &history{Platform: platformtest.New(tb), rt: rt, t: tb, apps: map[string]*historyApp{}, members: map[string]*historyMember{}}
	h.model.now = h.World.Now()
	h.addApp(app)
	if other := rapid.SampledFrom([]string{"none", "server", "phone"}).Draw(rt, "another app"); other != "none" && other != app {
		h.addApp(other)
	}
	h.addMember("ada")
	if rapid.Bool().Draw(rt, "a second member") {
		h.addMember("ben")
	}
	return h
}

// addApp registers an app of a kind.
func (h *history) addApp(name string) {
	m := &modelApp{rotates: true, allowed: everything, signed: true, enabled: true}
	add := h.AddApp
	var alter func(*loop.Client)
	switch name {
	case "graced":
		m.grace = 30 * time.Second
		alter = func(c *loop.Client) { c.RefreshGrace = m.grace }
	case "phone":
		m.public = true
		alter = func(c *loop.Client) { c.Type = loop.Public }
	case "bank":
		m.rotates = false
		add = h.AddKeyApp
		alter = func(c *loop.Client) { c.Protocol.Profile, c.Protocol.DPoPBound = loop.ProfileFAPI2, true }
	}
	h.apps[name] = &historyApp{add(h.t, alter), name, m}
}

// addMember makes a member, ada a test member, who never types a password: hashing
// one takes as long as many steps.
func (h *history) addMember(name string) {
	m, now := &modelMember{test: name == "ada"}, h.World.Now()
	account := &loop.Member{ID: loop.NewMemberID(h.World), Name: name, Email: loop.Email(name + "@members.example"), Locale: "en", Test: m.test, CreatedAt: now, UpdatedAt: now}
	h.must(h.Accounts.Store.AddMember(h.t.Context(), account, "none", nil, audit.Record{At: now, Event: audit.MemberCreated, Member: account.ID, Actor: audit.Actor{Kind: audit.ByOperator}}))
	h.members[name] = &historyMember{account, m}
}

func (h *history) must(err error) {
	if err != nil {
		h.rt.Fatal(err)
	}
}

// same fails the history where the platform did something else than the model.
func (h *history) same(what string, got, want outcome) {
	h.rt.Logf("%s: %s", what, got)
	if got != want {
		h.rt.Fatalf("%s: %s, and the model says: %s", what, got, want)
	}
}

// String is the outcome in words.
func (o outcome) String() string {
	if o == fine {
		return "fine"
	}
	return string(o)
}

// check holds every access token, and ten of the refresh tokens, against the model.
func (h *history) check(*rapid.T) {
	for i, held := range h.access {
		want := http.StatusUnauthorized
		if h.model.good(held.modelAccess) {
			want = statusWith(held.scopes, openid)
		}
		if got := h.fetch(held, userInfo).StatusCode; got != want {
			h.rt.Fatalf("access token %d at userinfo: %d, and the model says %d", i, got, want)
		}
	}
	for range min(10, len(h.refresh)) {
		h.checked = (h.checked + 1) % len(h.refresh)
		if held := h.refresh[h.checked]; !held.app.model.public && held.app.model.enabled {
			h.introspectRefresh(h.checked, held.app)
		}
	}
}

// statusWith is how a good token is answered where a scope is needed.
func statusWith(has, needed scopeSet) int {
	if has.has(needed) {
		return http.StatusOK
	}
	return http.StatusForbidden
}

// fetch asks a resource with an access token.
func (h *history) fetch(held heldAccess, address string) *platformtest.Response {
	return h.Fetch(h.t, http.MethodGet, address, h.proof(held.app, http.MethodGet, address, held.text))
}

// proof is the header that an access token travels in, and a proof of the key of
// an app whose tokens are bound to one.
func (h *history) proof(app *historyApp, method, address, token string) http.Header {
	switch {
	case app.Key != nil:
		return h.WithProof(app.Key, method, address, token)
	case token != "":
		return http.Header{"Authorization": {"Bearer " + token}}
	}
	return nil
}

const (
	tokenPath      = "/v1/oauth/token"
	introspectPath = "/v1/oauth/introspect"
	revokePath     = "/v1/oauth/revoke"
	pushPath       = "/v1/oauth/par"
)

// send posts a form as the app; the outcome is the error that is answered, if any.
func (h *history) send(app *historyApp, path string, form url.Values) (*platformtest.Response, outcome) {
	var proof http.Header
	if path == tokenPath {
		proof = h.proof(app, http.MethodPost, platformtest.Identity+path, "")
	}
	r := app.Send(path, form, proof)
	if r.StatusCode < http.StatusMultipleChoices {
		return r, fine
	}
	code, _ := r.JSON(h.t)["error"].(string)
	return r, outcome(code)
}

// introspectRefresh asks about a refresh token.
func (h *history) introspectRefresh(i int, by *historyApp) {
	held := h.refresh[i]
	newest := held.number == held.chain.newest || !held.app.model.rotates
	active := by == held.app && newest && h.model.refreshes(held.chain)
	h.introspect("refresh token "+strconv.Itoa(i), held.text, by, active, held.chain.grant.covered(held.chain.scopes))
}

// introspect asks about a token (RFC 7662 §2).
func (h *history) introspect(what, text string, by *historyApp, active bool, scopes scopeSet) {
	r, refused := h.send(by, introspectPath, url.Values{"token": {text}})
	if by.model.public || !by.model.enabled {
		h.same(what+" is asked about", refused, invalidClient)
		return
	}
	introspected := r.JSON(h.t)
	if introspected["active"] != active {
		h.rt.Fatalf("%s is active: %v, and the model says: %v", what, introspected["active"], active)
	}
	if scope, _ := introspected["scope"].(string); active && scope != scopes.String() {
		h.rt.Fatalf("%s is for %q, and the model says: %q", what, scope, scopes)
	}
}
