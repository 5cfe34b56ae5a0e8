package test

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/loop-health/loop/test/process"
)

// screenshots is where the tests of the pages write what they saw. ../docs/screenshots
// keeps the picture that the README shows, and in pages one of each page.
var screenshots = flag.String("screenshots", "", "write pictures of the pages to this `folder`")

// screen is what a page is looked at on.
type screen struct {
	name          string
	width, height int64
	scale         float64
}

var (
	narrow  = screen{"narrow", 320, 640, 1}
	phone   = screen{"phone", 390, 844, 2}
	desktop = screen{"desktop", 1280, 900, 1}
)

// show lays the page out for a screen and a colour scheme.
func (b *browser) show(t *testing.T, on screen, scheme string) {
	t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.do(t, chromedp.EmulateViewport(on.width, on.height, chromedp.EmulateScale(on.scale)))
}

// picture saves what the screen shows.
func (b *browser) picture(t *testing.T, name string) {
	t.Helper()
	if *screenshots == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(*screenshots, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*screenshots, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// looksRight takes pictures of the page and holds it to what every page must do.
func (b *browser) looksRight(t *testing.T, page string) {
	t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		for _, on := range []screen{narrow, phone, desktop} {
			b.show(t, on, scheme)
			if on != narrow {
				b.picture(t, fmt.Sprintf("%s-%s-%s", page, scheme, on.name))
			}
			if wide := b.number(t, "document.documentElement.scrollWidth"); wide > float64(on.width) {
				t.Errorf("%s is %v pixels wide on a screen of %d", page, wide, on.width)
			}
		}
	}
	for complaint, script := range map[string]string{
		"fields without a label":                  `[...document.querySelectorAll("input:not([type=hidden])")].filter(e => e.labels.length === 0 && !e.ariaLabel).length`,
		"headings of the first order, want one":   `document.querySelectorAll("h1").length - 1`,
		"pages that do not say their language":    `document.documentElement.lang ? 0 : 1`,
		"pages without a title":                   `document.title ? 0 : 1`,
		"inline styles or handlers":               `document.querySelectorAll("[style], [onclick], style, script:not([src])").length`,
		"images that do not say what they show":   `document.querySelectorAll("img:not([alt])").length`,
		"links or buttons that do not say a word": `[...document.querySelectorAll("a, button")].filter(e => !e.innerText.trim() && !e.ariaLabel).length`,
	} {
		if found := b.number(t, script); found != 0 {
			t.Errorf("%s: %v %s", page, found, complaint)
		}
	}
}

func (b *browser) number(t *testing.T, script string) float64 {
	t.Helper()
	value, err := strconv.ParseFloat(b.eval(t, "String("+script+")"), 64)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestThePagesFitEveryScreenAndBothColourSchemes(t *testing.T) {
	p := startPlatform(t, "--no-quickstart")
	b := p.browser(t)
	authorize := p.env["LOOP_IDENTITY_URL"] + "/v1/oauth/authorize?" + p.authorization("x").Encode()

	b.open(t, authorize)
	b.looksRight(t, "signin")
	b.fill(t, "email", p.env["LOOP_MEMBER_EMAIL"])
	b.fill(t, "password", "not the password")
	b.press(t, "sign-in")
	b.looksRight(t, "signin-refused")
	b.signIn(t, "LOOP_MEMBER")
	b.looksRight(t, "consent")

	t.Run("what is asked and both answers are on one phone screen, of one size", func(t *testing.T) {
		b.answersFit(t, "the quickstart")
	})
	t.Run("also with four scopes, a name of 40 letters, in each language", func(t *testing.T) {
		app := p.made(t, "client", "create", "--name", "Morning Laboratories of the Coastal Bays", "--redirect-uri", p.env["LOOP_REDIRECT_URI"],
			"--scope", "openid profile email read:biomarkers")
		p.secrets.saw("client secret", app["client_secret"])
		request := p.authorization("x")
		request.Set("client_id", app["client_id"])
		request.Set("scope", "openid profile email read:biomarkers")
		for _, language := range []string{"en", "de"} {
			request.Set("ui_locales", language)
			b.open(t, p.env["LOOP_IDENTITY_URL"]+"/v1/oauth/authorize?"+request.Encode())
			b.answersFit(t, language)
		}
	})

	request := p.authorization("x")
	request.Set("redirect_uri", "http://localhost:1/other")
	b.open(t, p.env["LOOP_IDENTITY_URL"]+"/v1/oauth/authorize?"+request.Encode())
	b.looksRight(t, "error")
	b.open(t, p.env["LOOP_IDENTITY_URL"]+"/signup")
	b.looksRight(t, "signup")
	b.open(t, p.env["LOOP_IDENTITY_URL"]+"/v1/oauth/logout?client_id="+p.env["LOOP_CLIENT_ID"])
	b.looksRight(t, "signout")
	b.press(t, "sign-out")
	b.looksRight(t, "signed-out")
	b.open(t, p.env["LOOP_DEVELOPERS_URL"])
	b.looksRight(t, "portal")
	b.open(t, p.env["LOOP_DEVELOPERS_URL"]+"/docs/quickstart-go")
	b.looksRight(t, "docs")

	developer := p.browser(t)
	developer.open(t, p.env["LOOP_DEVELOPERS_URL"]+"/apps")
	developer.signIn(t, "LOOP_DEVELOPER")
	if text := developer.text(); !strings.Contains(text, "Quickstart") || !strings.Contains(text, p.env["LOOP_CLIENT_ID"]) {
		t.Errorf("the developer of dev.env does not find its app in the portal:\n%s", text)
	}
	developer.looksRight(t, "apps")
	developer.press(t, "new-app")
	developer.looksRight(t, "app-new")
	developer.fill(t, "name", "Morning Labs")
	developer.fill(t, "redirect-uri", "http://app.example.com/callback")
	developer.press(t, "create-app")
	developer.looksRight(t, "app-refused")
	developer.fill(t, "redirect-uri", "https://app.example.com/callback")
	developer.press(t, "create-app")
	developer.looksRight(t, "app-secret")
	t.Run("a button copies the secret", func(t *testing.T) {
		secret := developer.textOf(t, "#secret")
		p.secrets.saw("client secret", secret)
		developer.copies(t, "#secret + .copy", secret)
		developer.copies(t, ".copyable > .copy", developer.textOf(t, "#settings"))
	})
	developer.press(t, "done")
	developer.looksRight(t, "app")

	another := p.browser(t)
	another.open(t, p.env["LOOP_DEVELOPERS_URL"]+"/apps")
	another.signUp(t, "Katherine Johnson", "katherine@developers.example")
	another.looksRight(t, "apps-none")
}

// answersFit wants the buttons of a consent page at the end of the first screen of a
// phone, the same size.
func (b *browser) answersFit(t *testing.T, page string) {
	t.Helper()
	b.show(t, phone, "light")
	measure := func(id, what string) float64 {
		return b.number(t, `document.getElementById("`+id+`").getBoundingClientRect().`+what)
	}
	for _, id := range []string{"allow", "deny"} {
		if bottom := measure(id, "bottom"); bottom > float64(phone.height) {
			t.Errorf("%s: %s ends at %v of %d pixels", page, id, bottom, phone.height)
		}
	}
	for _, side := range []string{"width", "height"} {
		if allow, deny := measure("allow", side), measure("deny", side); allow != deny {
			t.Errorf("%s: Allow has %s %v, Deny %v", page, side, allow, deny)
		}
	}
}

// copies presses a button and looks at what it hands to the clipboard.
func (b *browser) copies(t *testing.T, button, want string) {
	t.Helper()
	b.eval(t, `navigator.clipboard.writeText = async text => { document.documentElement.dataset.handed = text }, ""`)
	b.do(t, chromedp.Click(chromedp.CSS(button)))
	if got := b.eval(t, `document.documentElement.dataset.handed`); got != want {
		t.Errorf("%s copies %q, want %q", button, got, want)
	}
	if says := b.textOf(t, button); says != "Copied" {
		t.Errorf("%s then says %q", button, says)
	}
}

func TestTheQuickstartWorksWithoutScriptAndByKeyboardAlone(t *testing.T) {
	p := startPlatform(t)
	b := p.browser(t)
	_, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	if err != nil {
		t.Fatal(err)
	}
	keys := func(text string) chromedp.Action[chromedp.Void] { return chromedp.KeyEvent(text) }

	b.open(t, trimCallback(p.env["LOOP_REDIRECT_URI"])+"/login")
	b.do(t, chromedp.Focus(chromedp.CSS("#email")), keys(p.env["LOOP_MEMBER_EMAIL"]), keys(kb.Tab), keys(p.env["LOOP_MEMBER_PASSWORD"]))
	b.leads(t, keys(kb.Enter))
	b.tabTo(t, "allow")
	if status := b.leads(t, keys(kb.Enter)); status != http.StatusOK {
		t.Fatalf("the quickstart answers %d:\n%s", status, b.text())
	}
	if got := b.shown(t); got.Message != "Connected to Loop!" {
		t.Errorf("the quickstart shows %q %q", got.Message, got.Error)
	}
}

// tabTo goes from field to field by the Tab key, as far as the element.
func (b *browser) tabTo(t *testing.T, id string) {
	t.Helper()
	for range 30 {
		b.do(t, chromedp.KeyEvent(kb.Tab))
		ctx, cancel := context.WithTimeout(b.ctx, process.Patience)
		focused, err := chromedp.Run(ctx, chromedp.Evaluate[string]("document.activeElement.id"))
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		if focused == id {
			return
		}
	}
	t.Fatalf("the Tab key does not lead to #%s", id)
}
