package test

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// maxPage is how large the HTML of a page may be, in bytes.
const maxPage = 30_000

// TestEveryPageIsForEverybody looks at every page of every host, those of members in
// each language: with axe-core on a narrow phone and on a desktop, in both colour
// schemes; at its width there, also from right to left; and at its size.
//
//	go test -run TestEveryPageIsForEverybody -screenshots ../docs/screenshots/pages .
//
// writes a picture of each page.
func TestEveryPageIsForEverybody(t *testing.T) {
	axe, err := os.ReadFile(filepath.Join(needFolder(t, "LOOP_TEST_AXE_MODULES", "node", "axe-core"), "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	p := startPlatform(t, "--no-quickstart")
	b := p.browser(t)
	tour := &tour{platform: p, browser: b, axe: string(axe)}
	reader := p.visitor(t) // so that the member has an app, which has read
	verifier := rand.Text() + rand.Text()
	reader.biomarkers(t, reader.redeem(t, reader.code(t, verifier), verifier).Access)
	for _, language := range []string{"en", "de"} {
		tour.language = language
		tour.signedOut(t)
		tour.toAnApp(t)
		tour.account(t)
		tour.signOut(t)
		tour.ownAccount(t)
	}
	tour.language, tour.portal = "en", true
	tour.developers(t)
}

// tour is a way through the pages, in one browser.
type tour struct {
	platform *platform
	browser  *browser
	axe      string
	language string
	portal   bool // its pages are in English alone
}

func (v *tour) identity(path string) string { return v.platform.env["LOOP_IDENTITY_URL"] + path }

// authorize is where an app sends the member.
func (v *tour) authorize(more ...string) string {
	request := v.platform.authorization("x")
	for i := 0; i+1 < len(more); i += 2 {
		request.Set(more[i], more[i+1])
	}
	return v.identity("/v1/oauth/authorize?" + request.Encode())
}

// choose presses a language in the page's footer, where the page is in another.
func (v *tour) choose(t *testing.T) {
	t.Helper()
	if v.browser.eval(t, "document.documentElement.lang") != v.language {
		v.browser.leads(t, chromedp.Click(chromedp.CSS(`button[name=language][value=`+v.language+`]`)))
	}
}

func (v *tour) signedOut(t *testing.T) {
	b := v.browser
	b.open(t, v.identity("/signin"))
	v.choose(t)
	v.at(t, "signin")
	for _, name := range []string{"help", "privacy", "signup", "signed-out", "nothing-here"} {
		b.open(t, v.identity("/"+name))
		v.at(t, name)
	}
	v.showsPassword(t)
	b.open(t, v.identity("/signup"))
	b.eval(t, `document.querySelector("form[action='/signup']").noValidate = true, ""`)
	b.fill(t, "email", "nobody")
	b.press(t, "sign-up")
	v.at(t, "signup-refused")
	b.open(t, v.identity("/signin"))
	if b.has(t, "#forgot") {
		b.press(t, "forgot")
		v.at(t, "forgot")
		b.fill(t, "email", "nobody@members.example")
		b.press(t, "send-link")
		v.at(t, "forgot-sent")
	}
	b.open(t, v.authorize("redirect_uri", "http://localhost:1/other"))
	v.at(t, "app-refused")
}

// showsPassword holds the button beside a password to what it says.
func (v *tour) showsPassword(t *testing.T) {
	t.Helper()
	b := v.browser
	b.open(t, v.identity("/signin"))
	kind := func() string { return b.eval(t, `document.getElementById("password").type`) }
	b.do(t, chromedp.Click(chromedp.CSS(".show")))
	if kind() != "text" {
		t.Error("the password is not shown")
	}
	b.do(t, chromedp.Click(chromedp.CSS(".show")))
	if kind() != "password" {
		t.Error("the password is not hidden again")
	}
}

func (v *tour) toAnApp(t *testing.T) {
	b := v.browser
	b.open(t, v.authorize("prompt", "consent"))
	v.at(t, "signin-for-an-app")
	b.signIn(t, "LOOP_MEMBER")
	v.choose(t)
	v.at(t, "consent")
	b.open(t, v.authorize("prompt", "select_account"))
	v.at(t, "choice")
}

func (v *tour) account(t *testing.T) {
	b := v.browser
	for name, path := range map[string]string{"account": "/account", "apps": "/account/apps", "activity": "/account/activity", "results": "/account/results", "result": "/account/results/hdl-c", "your-data": "/account/privacy", "security": "/account/security"} {
		if status := b.open(t, v.identity(path)); status != 200 {
			t.Errorf("%s answers %d", path, status)
		}
		v.choose(t)
		v.at(t, name)
	}
	b.open(t, v.identity("/account/apps"))
	b.leads(t, chromedp.Click(chromedp.CSS(".apps .button")))
	v.at(t, "app")
	b.leads(t, chromedp.Click(chromedp.CSS(`a[href$="/receipts"]`)))
	v.at(t, "receipts")
}

func (v *tour) signOut(t *testing.T) {
	b := v.browser
	b.open(t, v.identity("/account"))
	b.press(t, "sign-out")
	v.at(t, "signout")
	b.press(t, "sign-out")
}

func (v *tour) developers(t *testing.T) {
	b := v.browser
	portal := v.platform.env["LOOP_DEVELOPERS_URL"]
	for name, path := range map[string]string{"portal": "/", "docs": "/docs/quickstart-go", "docs-flow": "/docs/authorization-flow", "docs-search": "/docs/search?q=refresh+token", "portal-nothing-here": "/nothing-here", "portal-signed-out": "/signed-out"} {
		b.open(t, portal+path)
		v.at(t, name)
	}
	b.open(t, portal+"/apps")
	b.signIn(t, "LOOP_DEVELOPER")
	v.at(t, "portal-apps")
	b.press(t, "new-app")
	v.at(t, "portal-new-app")
	b.open(t, portal+"/apps/"+v.platform.env["LOOP_CLIENT_ID"])
	v.at(t, "portal-app")
	webhooks := portal + "/apps/" + v.platform.env["LOOP_CLIENT_ID"] + "/webhooks"
	b.open(t, webhooks)
	v.at(t, "portal-webhooks")
	hook := v.platform.webhook(t, "create", "--client", v.platform.env["LOOP_CLIENT_ID"], "--url", "http://localhost:1/hook", "--events", "identity.grant.revoked.v1")
	b.open(t, webhooks+"/"+hook["id"])
	b.press(t, "test")
	v.at(t, "portal-webhook")
	b.eval(t, `for (const d of document.querySelectorAll("details")) d.open = true; ""`)
	b.press(t, "rotate")
	v.at(t, "portal-webhook-secret")
	b.open(t, portal+"/debugger")
	b.do(t, chromedp.SendKeys(chromedp.CSS("#url"), v.authorize("redirect_uri", "http://localhost:1/other"))) // a text area, which is empty
	b.press(t, "check")
	v.at(t, "portal-debugger")
	b.open(t, portal+"/test-members")
	v.at(t, "portal-test-members")
	b.open(t, portal+"/playground")
	v.at(t, "portal-playground")
	b.press(t, "begin")
	v.at(t, "portal-playground-begun")
}

// at looks at the page that the tab shows.
func (v *tour) at(t *testing.T, name string) {
	t.Helper()
	b, where := v.browser, name+" in "+v.language
	if got := b.eval(t, "document.documentElement.lang"); got != v.language {
		t.Errorf("%s is in %s", where, got)
	}
	if size := b.number(t, `performance.getEntriesByType("navigation")[0].decodedBodySize`); size > maxPage && !strings.HasPrefix(name, "docs") {
		t.Errorf("%s has %v bytes", where, size)
	}
	b.eval(t, v.axe+`; ""`)
	for _, scheme := range []string{"light", "dark"} {
		for _, on := range []screen{narrow, desktop} {
			b.show(t, on, scheme)
			v.fits(t, where, on)
			if found := v.violations(t); found != "" {
				t.Errorf("%s, %s, %s: %s", where, on.name, scheme, found)
			}
		}
	}
	b.eval(t, `document.documentElement.dir = "rtl"`)
	for _, on := range []screen{desktop, narrow} {
		b.show(t, on, "light")
		v.fits(t, where+" from right to left", on)
	}
	b.eval(t, `document.documentElement.dir = "ltr"`)
	v.pictures(t, name)
}

// fits holds the page to a screen's width: nothing of it is beyond, and no text is
// longer than the box that it stands in.
func (v *tour) fits(t *testing.T, where string, on screen) {
	t.Helper()
	if wide := v.browser.number(t, "document.documentElement.scrollWidth"); wide > float64(on.width) {
		t.Errorf("%s is %v pixels wide on a screen of %d", where, wide, on.width)
	}
	if cut := v.browser.eval(t, `[...document.querySelectorAll("h1, h2, p, li, dt, dd, label, button, a, .button")].filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline" && !e.closest(".scroll, pre, .unseen, .skip, [hidden]")).map(e => e.outerHTML.slice(0, 90)).join("; ")`); cut != "" {
		t.Errorf("%s on a screen of %d cuts text off: %s", where, on.width, cut)
	}
}

// violations are what axe-core finds wrong with the page as it is shown now.
func (v *tour) violations(t *testing.T) string {
	t.Helper()
	found, err := chromedp.Run(v.browser.ctx, chromedp.Evaluate[string](
		`axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.map(f => f.id + ": " + f.nodes.map(n => n.html.slice(0, 120) + " " + n.failureSummary).join(", ")).join("\n"))`,
		chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// pictures writes what the page looks like: in English on a phone in the light, in
// German on a desktop in the dark, and the portal's on both.
func (v *tour) pictures(t *testing.T, name string) {
	t.Helper()
	if *screenshots == "" {
		return
	}
	if v.language == "en" {
		v.browser.show(t, screen{"phone", 390, 844, 1}, "light")
		v.picture(t, name+"-en-phone")
	}
	if v.language == "de" || v.portal {
		v.browser.show(t, desktop, "dark")
		v.picture(t, name+"-"+v.language+"-desktop")
	}
}

// picture saves what the screen shows, small.
func (v *tour) picture(t *testing.T, name string) {
	t.Helper()
	quality := int64(60)
	shown, err := chromedp.Call(v.browser.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatWebp, Quality: &quality})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(*screenshots, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*screenshots, name+".webp"), shown.Data, 0o644); err != nil {
		t.Fatal(err)
	}
}
