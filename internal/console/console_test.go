package console_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
	"github.com/loop-health/loop/internal/signin"
)

const identity = platformtest.Identity

// desk is a platform with a viewer, an operator who may act, a member and an app.
type desk struct {
	*platformtest.Platform
	ada            *loop.Member
	app            *platformtest.App
	viewer, acting *platformtest.Browser
	grace, edsger  *loop.Member // the viewer, the other
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	p := platformtest.New(t)
	d := &desk{Platform: p, ada: p.AddMember(t, "Ada"), grace: p.AddMember(t, "Grace"), edsger: p.AddMember(t, "Edsger")}
	d.app = p.AddApp(t, nil)
	d.app.Code(p.NewBrowser(t), d.ada)
	for _, args := range [][]string{{"operator", "add", string(d.grace.ID)}, {"operator", "add", string(d.edsger.Email), "--role", "acting"}} {
		if err := p.Run(t, args...); err != nil {
			t.Fatal(err)
		}
	}
	d.viewer, d.acting = p.SignedIn(t, d.grace), p.SignedIn(t, d.edsger)
	return d
}

// post sends a form of a page of the console.
func post(b *platformtest.Browser, page string, form url.Values) *platformtest.Response {
	form.Set("csrf", b.Get(page).Field("csrf"))
	return b.Post(page, form)
}

// tail is the newest record of the audit.
func (d *desk) tail(t *testing.T, args ...string) string {
	t.Helper()
	out, err := d.RunWith(t, "", append([]string{"audit", "tail", "-n", "1"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Sec482: each address of the console, for each kind of visitor.
func TestSec482_TheConsoleOpensForOperatorsAlone(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	hedy := d.AddMember(t, "Hedy")
	d.AddApp(t, func(c *loop.Client) { c.Owner = hedy.ID })
	member, app := "/admin/members/"+string(d.ada.ID), "/admin/apps/"+string(d.app.ID)
	const signIn, nothing, forbidden, shown, done = "303 /signin", "404", "403", "200", "303 /admin"
	visitors := []struct {
		name    string
		browser *platformtest.Browser
		see     string
		act     string
	}{
		{"signed out", d.NewBrowser(t), signIn, signIn},
		{"a member", d.SignedIn(t, d.AddMember(t, "Bob")), nothing, nothing},
		{"a developer", d.SignedIn(t, hedy), nothing, nothing},
		{"a viewer", d.viewer, shown, forbidden},
		{"an operator who may act", d.acting, shown, done},
	}
	for _, v := range visitors {
		for _, page := range []string{"/admin", "/admin/members", member, "/admin/apps", app, "/admin/record"} {
			if got := outcome(v.browser.Get(identity + page)); got != v.see {
				t.Errorf("%s sees GET %s: %s, want %s", v.name, page, got, v.see)
			}
		}
		for _, act := range []struct {
			page string
			form url.Values
		}{
			{member, url.Values{"act": {"suspend"}}},
			{member, url.Values{"act": {"resume"}}},
			{member, url.Values{"act": {"sign-out"}}},
			{app, url.Values{"act": {"disable"}}},
			{app, url.Values{"act": {"enable"}}},
		} {
			if got := outcome(post(v.browser, identity+act.page, act.form)); got != v.act {
				t.Errorf("%s sends POST %s %s: %s, want %s", v.name, act.page, act.form.Get("act"), got, v.act)
			}
		}
	}
	if err := d.Run(t, "operator", "remove", string(d.edsger.ID)); err != nil {
		t.Fatal(err)
	}
	if got := outcome(d.acting.Get(identity + "/admin")); got != nothing {
		t.Errorf("an operator of before: %s", got)
	}
}

// outcome is a status, and where it leads: to sign-in, or to the console.
func outcome(r *platformtest.Response) string {
	if r.StatusCode != http.StatusSeeOther {
		return strconv.Itoa(r.StatusCode)
	}
	to := strings.TrimPrefix(r.Header.Get("Location"), identity)
	for _, known := range []string{"/signin", "/admin"} {
		if strings.HasPrefix(to, known) {
			return "303 " + known
		}
	}
	return "303 " + to
}

func TestSec483_EveryViewAndActIsInTheRecord(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	member, app := "/admin/members/"+string(d.ada.ID), "/admin/apps/"+string(d.app.ID)
	for page, want := range map[string][]string{
		"/admin": {`page="overview"`}, "/admin/members": {`page="members"`}, "/admin/apps": {`page="apps"`}, "/admin/record": {`page="record"`},
		member: {`page="member"`, "user=" + string(d.ada.ID)}, app: {`page="app"`, "client=" + string(d.app.ID)},
	} {
		d.World.Advance(time.Second) // PostgreSQL has lanes, which the moment alone puts in order
		d.viewer.Get(identity + page)
		record := d.tail(t, "--event", "operator.viewed")
		for _, part := range append(want, "by operator "+string(d.grace.ID), "from=") {
			if !strings.Contains(record, part) {
				t.Errorf("GET %s: the record lacks %s: %s", page, part, record)
			}
		}
	}
	for act, want := range map[string]struct {
		page  string
		event string
	}{"suspend": {member, "member.suspended"}, "disable": {app, "client.disabled"}} {
		d.World.Advance(time.Second)
		post(d.acting, identity+want.page, url.Values{"act": {act}})
		if record := d.tail(t, "--event", want.event); !strings.Contains(record, "by operator "+string(d.edsger.ID)) {
			t.Errorf("%s: the record: %s", act, record)
		}
	}
}

func TestSec484_AnOldOrWeakSignInOpensNoConsole(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	member := identity + "/admin/members/" + string(d.ada.ID)
	token := d.acting.Get(member).Field("csrf")
	d.World.Advance(loop.RecentSignIn + time.Second)
	if got := outcome(d.acting.Post(member, url.Values{"csrf": {token}, "act": {"suspend"}})); got != "303 /signin" {
		t.Errorf("an act after %s: %s", loop.RecentSignIn, got)
	}
	if got := outcome(d.acting.Get(member)); got != "200" {
		t.Errorf("a page then: %s", got)
	}
	d.World.Advance(time.Hour)
	r := d.acting.Get(identity + "/admin/apps")
	if got := outcome(r); got != "303 /signin" {
		t.Fatalf("a page after an hour: %s", got)
	}
	again := d.acting.Follow(r)
	if r := d.acting.SignIn(again, d.edsger); outcome(r) != "200" || !strings.Contains(r.Text, "<title>Apps · Loop console") {
		t.Errorf("signing in again leads to %d %s", r.StatusCode, r.Text)
	}
	if r := d.viewer.Post(member, url.Values{"csrf": {token}, "act": {"suspend"}}); r.StatusCode == http.StatusSeeOther && outcome(r) == "303 /admin" {
		t.Errorf("another's form: %s", outcome(r))
	}
}

func TestSec484_APasswordAloneIsTooLittleForAnAccountThatHasMore(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	now := d.World.Now()
	factor := &signin.Factor{Member: d.edsger.ID, Sealed: []byte("sealed"), CreatedAt: now}
	var codes signin.RecoveryHashes
	for i := range codes {
		codes[i][0] = byte(i)
	}
	if err := d.SignIns.Factors.AddFactor(t.Context(), factor, 0, codes, nil, audit.OfMember(t.Context(), now, audit.FactorAdded, d.edsger.ID)); err != nil {
		t.Fatal(err)
	}
	if r := d.acting.Get(identity + "/admin"); outcome(r) != "403" {
		t.Errorf("the console: %s", outcome(r))
	}
	if got := outcome(d.viewer.Get(identity + "/admin")); got != "200" {
		t.Errorf("whose account has no more than a password: %s", got)
	}
}

func TestConsole_FindsAMemberAndEndsWhatTheyGave(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for sought, want := range map[string]string{
		string(d.ada.Email): "303 /admin", string(d.ada.ID): "303 /admin", "nobody@members.example": "200", "ada": "200",
	} {
		r := d.viewer.Get(identity + "/admin/members?who=" + url.QueryEscape(sought))
		if got := outcome(r); got != want || want == "200" && r.Field("csrf") == "" && !strings.Contains(r.Text, `id="fault"`) {
			t.Errorf("%s: %s", sought, got)
		}
	}
	page := identity + "/admin/members/" + string(d.ada.ID)
	r := d.acting.Get(page)
	if !strings.Contains(r.Text, "Morning Labs") || !strings.Contains(r.Text, "grant.given") {
		t.Fatalf("the member's page: %s", r.Text)
	}
	if got := outcome(post(d.acting, page, url.Values{"act": {"revoke"}, "grant": {r.Field("grant")}})); got != "303 /admin" {
		t.Errorf("ending a grant: %s", got)
	}
	if grants, err := d.RunWith(t, "", "grant", "list", "--user", string(d.ada.ID)); err != nil || !strings.Contains(grants, "There are no grants.") {
		t.Errorf("the grants afterwards: %s, %v", grants, err)
	}
	if got := outcome(post(d.acting, page, url.Values{"act": {"celebrate"}})); got != "400" {
		t.Errorf("an act that is none: %s", got)
	}
	for _, nowhere := range []string{"/admin/members/user_01HXY00000000000000000000Z", "/admin/apps/client_01HXY00000000000000000000Z"} {
		if got := outcome(d.viewer.Get(identity + nowhere)); got != "404" {
			t.Errorf("%s: %s", nowhere, got)
		}
	}
}
