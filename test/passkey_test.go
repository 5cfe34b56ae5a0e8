package test

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// TestAMemberSignsInByAPasskeyInABrowser goes the whole way in Chromium, whose virtual
// authenticator stands for the member's device: script, pages and their policies are
// held to what a browser does with them.
func TestAMemberSignsInByAPasskeyInABrowser(t *testing.T) {
	p := startPlatform(t, "--no-quickstart")
	b := p.browser(t)
	device := b.authenticator(t)
	signIn, security := p.env["LOOP_IDENTITY_URL"]+"/signin", p.env["LOOP_IDENTITY_URL"]+"/account/security"
	authorize := p.env["LOOP_IDENTITY_URL"] + "/v1/oauth/authorize?" + p.authorization("x").Encode()
	b.open(t, security)
	b.signIn(t, "LOOP_MEMBER")

	t.Run("a device that does not know its holder makes none, and the page says so", func(t *testing.T) {
		b.press(t, "new-passkey")
		b.fill(t, "name", "Tägliches Telefon")
		device.knowsItsHolder(t, false)
		b.do(t, chromedp.Click(chromedp.CSS("#add-passkey")), chromedp.WaitVisible(saysWhy))
		device.knowsItsHolder(t, true)
	})
	t.Run("the same page adds one", func(t *testing.T) {
		b.press(t, "add-passkey")
		if at := b.address(t); at != security+"?added" {
			t.Fatalf("adding a passkey leads to %s:\n%s", at, b.text())
		}
		if list := b.textOf(t, "#passkeys"); !strings.Contains(list, "Tägliches Telefon") {
			t.Errorf("the list says %q", list)
		}
		if made := device.passkeys(t); len(made) != 1 || !made[0].IsResidentCredential {
			t.Errorf("the device holds %d passkeys, want one that it finds by itself", len(made))
		}
	})
	t.Run("the same device makes no second one", func(t *testing.T) {
		b.press(t, "new-passkey")
		b.fill(t, "name", "Once more")
		b.do(t, chromedp.Click(chromedp.CSS("#add-passkey")), chromedp.WaitVisible(saysWhy))
		if made := device.passkeys(t); len(made) != 1 {
			t.Errorf("the device holds %d passkeys, want the one", len(made))
		}
	})
	t.Run("the button that leads nowhere says so, and the list is there again", func(t *testing.T) {
		device.signOut(t)
		b.open(t, signIn)
		b.eval(t, closeDialogs)
		b.do(t, chromedp.Click(chromedp.CSS("#use-passkey")), chromedp.WaitVisible(saysWhy), chromedp.WaitReady(chromedp.CSS(`html[data-asked="button list "]`)))
	})
	t.Run("the button signs in, on the way to an app too", func(t *testing.T) {
		b.open(t, authorize)
		b.eval(t, holdRequest)
		b.do(t, chromedp.Click(chromedp.CSS("#use-passkey"))) // the list that waits for a touch makes way
		b.leads(t, device.touched(true), func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
			_, err := chromedp.Evaluate[string](`letGo(), ""`)(ctx, tab)
			return chromedp.Void{}, err
		})
		if !b.has(t, "#allow") {
			t.Fatalf("the passkey does not lead to the question of the app:\n%s", b.text())
		}
	})
	t.Run("the list in the field for the address signs in", func(t *testing.T) {
		device.signOut(t)
		b.open(t, p.env["LOOP_IDENTITY_URL"]+"/help") // a page that asks for no passkey
		b.do(t, device.touched(true))
		b.eval(t, `location.assign(`+quote(authorize)+`), ""`)
		b.do(t, chromedp.WaitVisible(chromedp.CSS("#allow"))) // nobody presses a button
		b.open(t, security)
		if at := b.address(t); at != security {
			t.Fatalf("after the passkey, the security page leads to %s:\n%s", at, b.text())
		}
	})
}

// saysWhy is the line beside a passkey's button, once it says that it led nowhere.
var saysWhy = chromedp.CSS("[data-passkey] [role=status]:not(:empty)")

// closeDialogs closes the browser's dialog as a member does who thinks better of it, and
// writes on the page what that asks the browser for.
const closeDialogs = `{
	const get = navigator.credentials.get.bind(navigator.credentials);
	const noted = document.documentElement.dataset;
	navigator.credentials.get = (asked) => {
		const list = asked.mediation === "conditional";
		noted.asked = (noted.asked ?? "") + (list ? "list " : "button ");
		return list ? get(asked) : Promise.reject(new DOMException("closed", "NotAllowedError"));
	};
} ""`

// holdRequest holds what the page asks the browser for until letGo is called, so that a
// touch is for that and not for the list.
const holdRequest = `{
	const get = navigator.credentials.get.bind(navigator.credentials);
	navigator.credentials.get = (asked) => new Promise((answer, fail) => {
		window.letGo = () => { get(asked).then(answer, fail); };
	});
} ""`

// device is a virtual authenticator of the tab.
type device struct {
	browser *browser
	id      webauthn.AuthenticatorID
}

// authenticator gives the tab a device as a telephone is one: it keeps passkeys, knows
// its holder, and is touched whenever it asks.
func (b *browser) authenticator(t *testing.T) *device {
	t.Helper()
	if _, err := chromedp.Call(b.ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	added, err := chromedp.Call(b.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}})
	if err != nil {
		t.Fatal(err)
	}
	return &device{b, added.AuthenticatorID}
}

// knowsItsHolder says whether the holder proves to be themselves from now on.
func (d *device) knowsItsHolder(t *testing.T, does bool) {
	t.Helper()
	_, err := chromedp.Call(d.browser.ctx, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: d.id, IsUserVerified: does})
	if err != nil {
		t.Fatal(err)
	}
}

// touched is the step after which the device is touched, or not, whenever it asks.
func (d *device) touched(is bool) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, webauthn.SetAutomaticPresenceSimulation, webauthn.SetAutomaticPresenceSimulationParams{AuthenticatorID: d.id, Enabled: is})
		return err
	})
}

// passkeys are those that the device holds.
func (d *device) passkeys(t *testing.T) []*webauthn.Credential {
	t.Helper()
	held, err := chromedp.Call(d.browser.ctx, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: d.id})
	if err != nil {
		t.Fatal(err)
	}
	return held.Credentials
}

// signOut ends the session by the account's pages. It leaves the device untouched, or
// that would sign in again by the list on the page where this ends.
func (d *device) signOut(t *testing.T) {
	t.Helper()
	d.browser.do(t, d.touched(false))
	d.browser.open(t, d.browser.platform.env["LOOP_IDENTITY_URL"]+"/account")
	d.browser.press(t, "sign-out")
	d.browser.press(t, "sign-out")
}
