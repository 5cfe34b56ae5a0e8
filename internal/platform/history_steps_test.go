package platform_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// someScopes is any but none, and often all.
var someScopes = rapid.Custom(func(t *rapid.T) scopeSet {
	return everything &^ scopeSet(rapid.IntRange(0, int(everything)-1).Draw(t, "left out"))
})

// one draws one of those that there are, the newest first. Where there is none,
// nothing is drawn, and another step is taken.
func one(rt *rapid.T, what string, count int) int {
	if count == 0 {
		rt.Skip("there is none")
	}
	return count - 1 - rapid.IntRange(0, count-1).Draw(rt, what+", from the newest")
}

func (h *history) app(rt *rapid.T) *historyApp {
	return h.apps[rapid.SampledFrom(slices.Sorted(maps.Keys(h.apps))).Draw(rt, "app")]
}

func (h *history) member(rt *rapid.T) *historyMember {
	return h.members[rapid.SampledFrom(slices.Sorted(maps.Keys(h.members))).Draw(rt, "member")]
}

// mostly is who holds something, and now and then another app.
func (h *history) mostly(rt *rapid.T, holder *historyApp) *historyApp {
	if rapid.IntRange(0, 3).Draw(rt, "by whom") < 3 {
		return holder
	}
	return h.app(rt)
}

// connects: a member allows an app everything that it may ask for, and the app
// redeems the code at once; a public one perhaps on many devices.
func (h *history) connects(rt *rapid.T) {
	app, member, devices := h.app(rt), h.member(rt), 1
	if app.model.public {
		devices = rapid.IntRange(1, 11).Draw(rt, "devices")
	}
	for range devices {
		if code, ok := h.ask(app, member, request{asked: app.model.allowed, ticked: everything}); ok {
			h.redeem(code, app, platformtest.Verifier)
		}
	}
}

// asks: an app asks for some scopes, and the member leaves out some of them, or
// of what they had allowed before.
func (h *history) asks(rt *rapid.T) {
	h.ask(h.app(rt), h.member(rt), request{
		asked: someScopes.Draw(rt, "asked"), ticked: someScopes.Draw(rt, "ticked"), afresh: rapid.Bool().Draw(rt, "prompt=consent"),
	})
}

func (h *history) redeems(rt *rapid.T) {
	code := one(rt, "code", len(h.codes))
	h.redeem(code, h.codes[code].app, platformtest.Verifier)
}

// presents: somebody else, perhaps, presents a code, with a wrong verifier, perhaps.
func (h *history) presents(rt *rapid.T) {
	code := one(rt, "code", len(h.codes))
	verifier := rapid.SampledFrom([]string{platformtest.Verifier, strings.Repeat("w", 43)}).Draw(rt, "verifier")
	h.redeem(code, h.mostly(rt, h.codes[code].app), verifier)
}

func (h *history) refreshes(rt *rapid.T) {
	token := one(rt, "refresh token", len(h.refresh))
	chain := h.refresh[token].chain
	newest := slices.IndexFunc(h.refresh, func(held heldRefresh) bool { return held.chain == chain && held.number == chain.newest })
	h.rotate(newest, h.refresh[newest].app, 0)
}

// presentsRefresh: any refresh token, old or new, by its app or another, with the
// scopes named, perhaps.
func (h *history) presentsRefresh(rt *rapid.T) {
	token := one(rt, "refresh token", len(h.refresh))
	by := h.mostly(rt, h.refresh[token].app)
	var asked scopeSet
	if rapid.Bool().Draw(rt, "names scopes") {
		asked = someScopes.Draw(rt, "asked")
	}
	h.rotate(token, by, asked)
}

// givesBack revokes a token by RFC 7009. Another app's stays as it is, and no
// answer says.
func (h *history) givesBack(rt *rapid.T) {
	var (
		what, text string
		holder     *historyApp
		end        func()
	)
	if rapid.Bool().Draw(rt, "a refresh token") {
		i := one(rt, "refresh token", len(h.refresh))
		held := h.refresh[i]
		what, text, holder = "refresh token "+strconv.Itoa(i), held.text, held.app
		end = func() { h.model.endChain(held.chain) }
	} else {
		i := one(rt, "access token", len(h.access))
		held := h.access[i]
		what, text, holder = "access token "+strconv.Itoa(i), held.text, held.app
		end = func() { held.dead = true }
	}
	by, want := h.mostly(rt, holder), invalidClient
	if by.model.enabled {
		want = fine
	}
	if by.model.enabled && by == holder {
		end()
	}
	_, got := h.send(by, revokePath, url.Values{"token": {text}})
	h.same(what+" is given back by "+by.name, got, want)
}

func (h *history) introspects(rt *rapid.T) {
	if rapid.Bool().Draw(rt, "a refresh token") {
		i := one(rt, "refresh token", len(h.refresh))
		h.introspectRefresh(i, h.mostly(rt, h.refresh[i].app))
		return
	}
	i := one(rt, "access token", len(h.access))
	held := h.access[i]
	by := h.mostly(rt, held.app)
	h.introspect("access token "+strconv.Itoa(i), held.text, by, by == held.app && h.model.good(held.modelAccess), held.scopes)
}

// reads asks clinical for lab results.
func (h *history) reads(rt *rapid.T) {
	i := one(rt, "access token", len(h.access))
	held, want := h.access[i], http.StatusUnauthorized
	if h.model.good(held.modelAccess) {
		want = statusWith(held.scopes, results)
	}
	if got := h.fetch(held, biomarkers).StatusCode; got != want {
		rt.Fatalf("access token %d reads results: %d, and the model says %d", i, got, want)
	}
}

// takesAway ends a consent, or what tokens rest on.
func (h *history) takesAway(rt *rapid.T) {
	app, member := h.app(rt), h.member(rt)
	switch what := rapid.SampledFrom([]string{"the consent", "a scope", "the agreement", "the member", "the app"}).Draw(rt, "what"); what {
	case "the consent":
		h.revoke(app, member)
	case "a scope":
		if left := app.model.allowed &^ openid; left != 0 {
			h.allow(app, app.model.allowed&^rapid.SampledFrom(left.each()).Draw(rt, "scope"))
		}
	case "the agreement":
		h.sign(app, false)
	case "the member":
		h.suspend(member, true)
	case "the app":
		h.enable(app, false)
	}
}

// gives gives again what was taken from an app and a member.
func (h *history) gives(rt *rapid.T) {
	app, member := h.app(rt), h.member(rt)
	h.allow(app, everything)
	h.sign(app, true)
	h.suspend(member, false)
	h.enable(app, true)
}

// revoke ends a consent, as `loop grant revoke` does.
func (h *history) revoke(app *historyApp, member *historyMember) {
	grant, err := h.OAuth.Ledger.LiveGrant(h.t.Context(), member.ID, app.ID)
	h.must(err)
	want := h.model.live(app.model, member.model)
	if (grant != nil) != (want != nil) {
		h.rt.Fatalf("a live grant of %s to %s is there: %v, and the model says: %v", member.Name, app.name, grant != nil, want != nil)
	}
	if grant == nil {
		return
	}
	h.must(h.Run(h.t, "grant", "revoke", string(grant.ID)))
	h.model.revoke(want)
}

// allow sets the scopes that an app may ask for. With one that it loses, all its
// access tokens end; what is left of them comes with the next refresh.
func (h *history) allow(app *historyApp, scopes scopeSet) {
	_, err := h.Clients.Update(h.t.Context(), app.ID, audit.Actor{Kind: audit.ByOperator}, func(c *loop.Client) { c.AllowedScopes = loop.ReadScopes(scopes.String()) })
	h.must(err)
	if !scopes.has(app.model.allowed) {
		h.model.strikeApp(app.model)
	}
	app.model.allowed = scopes
}

// sign gives an app the agreement to see real members' health data, or ends it.
func (h *history) sign(app *historyApp, signed bool) {
	_, err := h.Clients.Update(h.t.Context(), app.ID, audit.Actor{Kind: audit.ByOperator}, func(c *loop.Client) {
		if c.BAA = nil; signed {
			c.BAA = &loop.BAA{SignedOn: h.World.Now(), By: "an operator"}
		}
	})
	h.must(err)
	if app.model.signed && !signed {
		h.model.strikeApp(app.model)
	}
	app.model.signed = signed
}

func (h *history) enable(app *historyApp, enabled bool) {
	_, err := h.Clients.SetEnabled(h.t.Context(), app.ID, audit.Actor{Kind: audit.ByOperator}, enabled)
	h.must(err)
	if !enabled {
		h.model.strikeApp(app.model)
	}
	app.model.enabled = enabled
}

func (h *history) suspend(member *historyMember, suspended bool) {
	if !suspended {
		h.must(h.Run(h.t, "user", "resume", string(member.ID)))
	} else {
		h.must(h.Suspend(h.t, member.Member))
		h.model.strike(func(g *modelGrant) bool { return g.member == member.model })
	}
	member.model.suspended = suspended
}

// looksAfter: what an operator does that ends nothing. New keys take over in five
// minutes.
func (h *history) looksAfter(rt *rapid.T) {
	switch what := rapid.SampledFrom([]string{"refresh", "access", "code", "restart"}).Draw(rt, "new keys for, or"); what {
	case "restart":
		h.Restart(h.t)
	default:
		h.must(h.Run(h.t, "keys", "rotate", what))
	}
}

// waits: moments just before and just at the ends of what lives for a while.
func (h *history) waits(rt *rapid.T) {
	h.wait(rapid.SampledFrom([]time.Duration{
		time.Second, 29 * time.Second, 30 * time.Second, 59 * time.Second, time.Minute, 5 * time.Minute, 10 * time.Minute,
		time.Hour - time.Second, time.Hour, 26 * time.Hour, 90*day - time.Second, 90 * day,
	}).Draw(rt, "for"))
}

// wait moves the clock, and the platform tidies up where it would have in that time.
func (h *history) wait(by time.Duration) {
	h.World.Advance(by)
	h.model.now = h.model.now.Add(by)
	if by >= 5*time.Minute {
		h.must(h.Sweep(h.t.Context()))
	}
}

// ask brings a request for authorization to its end, and gives the code's number.
func (h *history) ask(app *historyApp, member *historyMember, req request) (code int, ok bool) {
	issued, shown, want := h.model.authorize(app.model, member.model, req)
	if want == errorPage && app.Key != nil {
		want = invalidClient // an app that pushes is answered at once
	}
	what := member.Name + " is asked by " + app.name + " for " + req.asked.String()
	if shown {
		what += " and ticks " + req.ticked.String()
	}
	text, wasShown, got := h.journey(app, member, req)
	if h.same(what, got, want); wasShown != shown {
		h.rt.Fatalf("%s: consent is asked: %v, and the model says: %v", what, wasShown, shown)
	}
	if want != fine {
		return 0, false
	}
	h.codes = append(h.codes, heldCode{issued, app, text})
	h.rt.Logf("  code %d", len(h.codes)-1)
	return len(h.codes) - 1, true
}

// journey takes a member through the pages.
func (h *history) journey(app *historyApp, member *historyMember, req request) (code string, shown bool, end outcome) {
	params := app.Request()
	params.Set("scope", req.asked.String())
	if req.afresh {
		params.Set("prompt", "consent")
	}
	if app.Key != nil {
		r, refused := h.send(app, pushPath, params)
		if refused != fine {
			return "", false, refused
		}
		handle, _ := r.JSON(h.t)["request_uri"].(string)
		params = url.Values{"client_id": {string(app.ID)}, "request_uri": {handle}}
	}
	b := h.SignedIn(h.t, member.Member)
	r := b.Follow(b.Authorize(params))
	if shown = strings.Contains(r.Text, `id="allow"`); shown {
		r = b.Decide(r, "allow", (req.ticked & req.asked).names()...)
	}
	switch {
	case r.StatusCode == http.StatusBadRequest:
		return "", shown, errorPage
	case strings.Contains(r.Text, `id="sign-in"`):
		return "", shown, signInPage
	}
	answer := r.Redirected(h.t).Query()
	return answer.Get("code"), shown, outcome(answer.Get("error"))
}

// redeem presents a code.
func (h *history) redeem(i int, by *historyApp, verifier string) {
	held := h.codes[i]
	if held.app.model.public {
		h.wait(time.Second) // so that it is plain which of its chains is the oldest
	}
	token, want := h.model.redeem(held.modelCode, by.model, verifier == platformtest.Verifier)
	r, got := h.send(by, tokenPath, url.Values{
		"grant_type": {"authorization_code"}, "code": {held.text}, "redirect_uri": {platformtest.Callback}, "code_verifier": {verifier},
	})
	what := "code " + strconv.Itoa(i) + " is redeemed by " + by.name
	if verifier != platformtest.Verifier {
		what += " with a wrong verifier"
	}
	if h.same(what, got, want); want == fine {
		h.keep(r, by, token)
	}
}

// rotate presents a refresh token.
func (h *history) rotate(i int, by *historyApp, asked scopeSet) {
	held := h.refresh[i]
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {held.text}}
	what := "refresh token " + strconv.Itoa(i) + " is used by " + by.name
	if asked != 0 {
		form.Set("scope", asked.String())
		what += " for " + asked.String()
	}
	token, want := h.model.refresh(held.chain, held.number, by.model, asked)
	r, got := h.send(by, tokenPath, form)
	if h.same(what, got, want); want == fine {
		h.keep(r, by, token)
	}
}

// keep takes up the tokens of an answer, and holds it against the model.
func (h *history) keep(r *platformtest.Response, app *historyApp, token *modelAccess) {
	pair := r.Pair(h.t)
	if pair.Scope != token.scopes.String() || (pair.ID != "") != token.scopes.has(openid) {
		h.rt.Fatalf("the scope is %q, an ID token is there: %v; the model says %q", pair.Scope, pair.ID != "", token.scopes)
	}
	h.access = append(h.access, heldAccess{token, app, pair.Access})
	latest := heldRefresh{token.chain, token.chain.newest, app, pair.Refresh}
	sameText := slices.IndexFunc(h.refresh, func(held heldRefresh) bool { return held.text == latest.text })
	sameTurn := slices.IndexFunc(h.refresh, func(held heldRefresh) bool { return held.chain == latest.chain && held.number == latest.number })
	switch {
	case app.model.rotates && sameText != sameTurn:
		h.rt.Fatal("a retry gets the very same refresh token, and nothing else does")
	case sameText >= 0:
		h.refresh[sameText].number = latest.number
	default:
		h.refresh = append(h.refresh, latest)
		sameText = len(h.refresh) - 1
	}
	h.rt.Logf("  access token %d, refresh token %d", len(h.access)-1, sameText)
}
