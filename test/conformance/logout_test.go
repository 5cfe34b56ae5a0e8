package conformance

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/pagetest"
	"github.com/loop-health/loop/test/process"
)

// signedOutURI is where members return to after they signed out at an app.
const signedOutURI = "https://" + appHost + "/signed-out"

// logout are the modules of OpenID Connect RP-Initiated and Back-Channel Logout.
var logout = []module{
	{"oidcc-rp-initiated-logout", rpInitiatedLogout(http.MethodGet)},
	{"oidcc-rp-initiated-logout by POST", rpInitiatedLogout(http.MethodPost)},
	{"oidcc-rp-initiated-logout-bad-post-logout-redirect-uri", noReturn(func(l url.Values) {
		l.Set("post_logout_redirect_uri", signedOutURI+"/another")
	})},
	{"oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri", noReturn(func(l url.Values) {
		l.Set("post_logout_redirect_uri", signedOutURI+"?foo=bar")
	})},
	{"oidcc-rp-initiated-logout-modified-id-token-hint", noReturn(func(l url.Values) {
		l.Set("id_token_hint", modified(l.Get("id_token_hint")))
	})},
	{"oidcc-rp-initiated-logout-bad-id-token-hint", noReturn(func(l url.Values) { l.Set("id_token_hint", "not.a.token") })},
	{"oidcc-rp-initiated-logout-no-id-token-hint", noReturn(func(l url.Values) { l.Del("id_token_hint") })},
	{"oidcc-rp-initiated-logout-no-params", signedOutHere()},
	{"oidcc-rp-initiated-logout-only-state", signedOutHere("state")},
	{"oidcc-rp-initiated-logout-no-post-logout-redirect-uri", signedOutHere("state", "id_token_hint")},
	{"oidcc-backchannel-rp-initiated-logout", backChannelLogout},
}

// That an expired ID token is a valid hint takes a clock that a test can move:
// internal/identity has it.
func TestConformance_Logout(t *testing.T) {
	t.Parallel()
	s := &suite{server: startServer(t)}
	s.run(t, logout)
}

// signedIn is a member who is signed in at an app, and the request with which it
// would sign them out.
type signedIn struct {
	*app
	browser *browser
	idToken claims
	logout  url.Values
}

func (s *suite) signedIn(t *testing.T, flags ...string) *signedIn {
	t.Helper()
	a := s.server.newApp(t, append(flags, "--post-logout-redirect-uri", signedOutURI)...)
	b, id, got := a.signedIn(t, s.ada)
	return &signedIn{a, b, id, url.Values{
		"id_token_hint": {got.ID}, "post_logout_redirect_uri": {signedOutURI}, "state": {strings.Repeat(rand.Text(), 5)[:128]},
	}}
}

// modified makes a token say that it is about somebody else, under the signature
// that it had.
func modified(token string) string {
	parts := strings.Split(token, ".")
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1]) // it was signed like that
	payload = bytes.Replace(payload, []byte(`"sub":"user_0`), []byte(`"sub":"user_1`), 1)
	parts[1] = base64.RawURLEncoding.EncodeToString(payload)
	return strings.Join(parts, ".")
}

// leave sends the logout request, and confirms it where the member is asked. It
// gives the last page, and whether there was a question.
func (in *signedIn) leave(t *testing.T, method string) (last shown, confirmed bool) {
	t.Helper()
	now := in.requestLogout(t, method)
	for range 10 {
		if now.Request.URL.Host == appHost {
			return now, confirmed
		}
		if to, err := now.Location(); err == nil {
			now = in.browser.get(t, to.String())
			continue
		}
		form, err := pagetest.Press(strings.NewReader(now.body), "sign-out")
		if err != nil {
			t.Fatal(err)
		}
		if form == nil || confirmed {
			return now, confirmed
		}
		confirmed, now = true, in.browser.submit(t, now, form)
	}
	t.Fatalf("signing out goes in a circle:\n%s", process.Tail(now.body))
	return shown{}, false
}

func (in *signedIn) requestLogout(t *testing.T, method string) shown {
	t.Helper()
	endpoint := in.metadata(t).text("end_session_endpoint")
	if method == http.MethodGet {
		return in.browser.get(t, endpoint+"?"+in.logout.Encode())
	}
	return in.browser.postFromElsewhere(t, endpoint, in.logout.Encode())
}

// isSignedOut holds the browser to know nobody any more.
func (in *signedIn) isSignedOut(t *testing.T) {
	t.Helper()
	in.browser.silently(t, in.request("prompt", "none")).refused(t, "login_required")
}

func rpInitiatedLogout(method string) func(*testing.T, *suite) {
	return func(t *testing.T, s *suite) {
		in := s.signedIn(t)
		last, _ := in.leave(t, method)
		returned := url.Values{"state": in.logout["state"]}
		if want := signedOutURI + "?" + returned.Encode(); last.Request.URL.String() != want {
			t.Errorf("signing out ends at %s, want %s:\n%s", last.Request.URL, want, process.Tail(last.body))
		}
		in.isSignedOut(t)
	}
}

// noReturn changes the request so that nobody knows where it may lead.
func noReturn(change func(url.Values)) func(*testing.T, *suite) {
	return func(t *testing.T, s *suite) {
		in := s.signedIn(t)
		change(in.logout)
		last, confirmed := in.leave(t, http.MethodGet)
		if last.Request.URL.Host == appHost {
			t.Errorf("the request led to %s", last.Request.URL)
		}
		isPage := strings.HasPrefix(last.Header.Get("Content-Type"), "text/html")
		if !isPage || last.StatusCode != http.StatusBadRequest && !confirmed {
			t.Errorf("status %d, asked %t, want a page with an error or a question:\n%s", last.StatusCode, confirmed, process.Tail(last.body))
		}
	}
}

// signedOutHere sends no more than these parameters: the member stays with Loop.
// Where nothing says who asks, they are asked themselves.
func signedOutHere(names ...string) func(*testing.T, *suite) {
	return func(t *testing.T, s *suite) {
		in := s.signedIn(t)
		for name := range in.logout {
			if !slices.Contains(names, name) {
				in.logout.Del(name)
			}
		}
		last, confirmed := in.leave(t, http.MethodGet)
		if !confirmed && !in.logout.Has("id_token_hint") {
			t.Error("anybody's link signs the member out: nothing was asked")
		}
		if last.Request.URL.Host != identityHost || last.StatusCode != http.StatusOK || !strings.Contains(strings.ToLower(last.body), "signed out") {
			t.Errorf("status %d at %s, want a page that says so:\n%s", last.StatusCode, last.Request.URL, process.Tail(last.body))
		}
		in.isSignedOut(t)
	}
}

// backChannelLogout waits for what is sent to the app (OpenID Connect Back-Channel
// Logout §2.4, §2.5).
func backChannelLogout(t *testing.T, _ *suite) {
	s := &suite{server: startServer(t, fetching)}
	sent := make(chan *http.Request, 10)
	address := s.serve(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.ParseForm() == nil && len(sent) == 0 {
			sent <- r
		}
	})
	in := s.signedIn(t, "--backchannel-logout-uri", address+"/backchannel")
	in.leave(t, http.MethodGet)
	select {
	case r := <-sent:
		in.judge(t, r)
	case <-time.After(process.Patience / 3):
		t.Error("nothing was sent to the app")
	}
}

func (in *signedIn) judge(t *testing.T, r *http.Request) {
	t.Helper()
	if kind := r.Header.Get("Content-Type"); r.Method != http.MethodPost || kind != "application/x-www-form-urlencoded" {
		t.Errorf("a %s of %s", r.Method, kind)
	}
	header, claims := in.jwt(t, r.PostForm.Get("logout_token"))
	if header.ExtraHeaders["typ"] != "logout+jwt" {
		t.Errorf("typ is %v", header.ExtraHeaders["typ"])
	}
	if claims.text("iss") != issuer || !slices.Equal(claims.texts("aud"), []string{in.ID}) || claims.text("jti") == "" {
		t.Errorf("iss %v, aud %v, jti %v", claims["iss"], claims["aud"], claims["jti"])
	}
	if time.Since(claims.moment("iat")).Abs() > time.Minute || !claims.moment("exp").After(time.Now()) {
		t.Errorf("iat %v, exp %v", claims.moment("iat"), claims.moment("exp"))
	}
	for _, name := range []string{"sub", "sid"} {
		if claims.text(name) == "" || claims[name] != in.idToken[name] {
			t.Errorf("%s is %v, and the ID token said %v", name, claims[name], in.idToken[name])
		}
	}
	events, _ := claims["events"].(map[string]any)
	if event, isObject := events["http://schemas.openid.net/event/backchannel-logout"].(map[string]any); !isObject || len(event) > 0 {
		t.Errorf("events is %v", claims["events"])
	}
	if _, has := claims["nonce"]; has {
		t.Error("a logout token has a nonce (§2.4 forbids it)")
	}
}
