package test

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/loop-health/loop/internal/pagetest"
)

func TestTheJourneyUnderTheRealNamesWhenItDoesNotGoAsTheAppHoped(t *testing.T) {
	needChromium(t)
	p := startPlatform(t, "--domain", domain)
	p.startSeedApp(t)

	t.Run("the member says Deny and the app gets access_denied", func(t *testing.T) {
		b := p.browser(t)
		b.open(t, appAddress+"/login")
		b.seesVerifier(t)
		b.signIn(t, "LOOP_MEMBER")
		if status := b.press(t, "deny"); status != http.StatusBadRequest {
			t.Errorf("the app answers %d", status)
		}
		if got := b.shown(t); got.Error != "access_denied" {
			t.Errorf("the app shows %q", got.Error)
		}
	})

	t.Run("the member leaves lab results out and the app gets the two other scopes and no results", func(t *testing.T) {
		b := p.browser(t)
		b.open(t, appAddress+"/login")
		b.seesVerifier(t)
		b.signIn(t, "LOOP_MEMBER2")
		b.leaveOut(t, "read:biomarkers")
		b.press(t, "allow")
		got := b.shown(t)
		if got.Scopes != "openid profile" {
			t.Errorf("the app was granted %q", got.Scopes)
		}
		if !bytes.Equal(got.Biomarkers, []byte("null")) {
			t.Errorf("the app shows results: %s", got.Biomarkers)
		}
	})

	t.Run("the state is tampered with and the app refuses the answer", func(t *testing.T) {
		b := p.browser(t)
		b.open(t, appAddress+"/login")
		b.seesVerifier(t)
		request := b.lastAsked(t, p.env["LOOP_IDENTITY_URL"]+"/v1/oauth/authorize")
		b.open(t, withParameter(request, "state", strings.Repeat("0", 32)))
		b.signIn(t, "LOOP_MEMBER")
		if status := b.press(t, "allow"); status != http.StatusBadRequest {
			t.Errorf("the app answers %d", status)
		}
		if got := b.shown(t); !strings.HasPrefix(got.Error, "Invalid state") {
			t.Errorf("the app shows %q", got.Error)
		}
	})

	t.Run("a redirect URI that differs by one character is an error page and no redirect", func(t *testing.T) {
		b := p.browser(t)
		b.open(t, appAddress+"/login")
		b.seesVerifier(t)
		request := b.lastAsked(t, p.env["LOOP_IDENTITY_URL"]+"/v1/oauth/authorize")
		other := p.env["LOOP_REDIRECT_URI"] + "s"
		if status := b.open(t, withParameter(request, "redirect_uri", other)); status != http.StatusBadRequest {
			t.Errorf("the page has status %d, want 400", status)
		}
		if at := b.address(t); !strings.HasPrefix(at, p.env["LOOP_IDENTITY_URL"]) {
			t.Errorf("the browser was led to %s", at)
		}
		if text := b.text(); !strings.Contains(text, "redirect URI") || !strings.Contains(text, other) {
			t.Errorf("the page does not show a developer what was sent:\n%s", text)
		}
	})

	p.verifyAudit(t)
}

// withParameter is the address with one parameter of its query changed.
func withParameter(address *url.URL, name, value string) string {
	changed := *address
	query := changed.Query()
	query.Set(name, value)
	changed.RawQuery = query.Encode()
	return changed.String()
}

func TestACodeUnderTheRealNames(t *testing.T) {
	p := startPlatform(t, "--domain", domain)
	v := p.visitor(t)

	t.Run("used twice is invalid_grant and ends what came of it", func(t *testing.T) {
		proof := pagetest.Verifier()
		code := v.code(t, proof)
		first := v.redeem(t, code, proof)
		if status, results := v.biomarkers(t, first.Access); status != http.StatusOK || len(results) < 20 {
			t.Fatalf("the first use gives %d %s, its access token %d and %d results", first.status, first.Error, status, len(results))
		}
		if again := v.redeem(t, code, proof); again.status != http.StatusBadRequest || again.Error != "invalid_grant" {
			t.Errorf("the second use is answered with %d %s", again.status, again.Error)
		}
		if status, _ := v.biomarkers(t, first.Access); status != http.StatusUnauthorized {
			t.Errorf("the first use's access token is answered with %d in the very next request, want 401", status)
		}
		if ended := v.refresh(t, first.Refresh); ended.Error != "invalid_grant" {
			t.Errorf("the first use's refresh token gives %q, want invalid_grant", ended.Error)
		}
	})

	t.Run("with a wrong verifier is invalid_grant and still good with the right one", func(t *testing.T) {
		proof := pagetest.Verifier()
		code := v.code(t, proof)
		if wrong := v.redeem(t, code, pagetest.Verifier()); wrong.status != http.StatusBadRequest || wrong.Error != "invalid_grant" {
			t.Errorf("a wrong verifier is answered with %d %s", wrong.status, wrong.Error)
		}
		if right := v.redeem(t, code, proof); right.status != http.StatusOK {
			t.Errorf("the right verifier is then answered with %d %s", right.status, right.Error)
		}
	})

	t.Run("is redeemed once by twenty who try at the same time", func(t *testing.T) {
		proof := pagetest.Verifier()
		code := v.code(t, proof)
		won := race(20, func() bool { return v.redeem(t, code, proof).status == http.StatusOK })
		if won != 1 {
			t.Errorf("%d of them got tokens", won)
		}
	})

	p.verifyAudit(t)
}

func TestARefreshToken(t *testing.T) {
	p := startPlatform(t, "--no-quickstart")
	v := p.visitor(t)

	t.Run("used by twenty at the same time is won by one and the grant ends", func(t *testing.T) {
		proof := pagetest.Verifier()
		first := v.redeem(t, v.code(t, proof), proof)
		won := race(20, func() bool { return v.refresh(t, first.Refresh).status == http.StatusOK })
		if won != 1 {
			t.Errorf("%d of them got tokens", won)
		}
		if status, _ := v.biomarkers(t, first.Access); status != http.StatusUnauthorized {
			t.Errorf("the access token is answered with %d, want 401", status)
		}
	})

	t.Run("survives a restart of the platform", func(t *testing.T) {
		proof := pagetest.Verifier()
		first := v.redeem(t, v.code(t, proof), proof)
		p.restart(t)
		again := p.visitor(t)
		if status, _ := again.biomarkers(t, first.Access); status != http.StatusOK {
			t.Errorf("the access token is answered with %d after a restart", status)
		}
		if next := again.refresh(t, first.Refresh); next.status != http.StatusOK {
			t.Errorf("the refresh token is answered with %d %s after a restart", next.status, next.Error)
		}
	})

	p.verifyAudit(t)
}

// race lets n goroutines try at the same time and counts who won.
func race(n int, try func() bool) int {
	var (
		group sync.WaitGroup
		won   atomic.Int64
	)
	gun := make(chan struct{})
	for range n {
		group.Go(func() {
			<-gun
			if try() {
				won.Add(1)
			}
		})
	}
	close(gun)
	group.Wait()
	return int(won.Load())
}
