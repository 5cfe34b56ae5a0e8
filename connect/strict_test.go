package connect

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestFinish_OIDCCore_2_AnIDTokenWithoutItsClaimsIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		altered map[string]any
		says    string // empty: it is taken
	}{
		"as it should be":  {nil, ""},
		"no sub":           {map[string]any{"sub": nil}, "no sub"},
		"an empty sub":     {map[string]any{"sub": ""}, "no sub"},
		"no iat":           {map[string]any{"iat": nil}, "no iat"},
		"no exp":           {map[string]any{"exp": nil}, "expired"},
		"another audience": {map[string]any{"aud": "client_2"}, "audience"},
		"another issuer":   {map[string]any{"iss": "https://evil.example"}, "issue"},
		"another nonce":    {map[string]any{"nonce": "x"}, "nonce"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFakeLoop(t)
			client := f.client(t, nil)
			f.gives(map[string]any{"expires_in": 3600, "id_token": f.idToken(t, c.altered)})
			login, err := finish(t, client)
			if c.says == "" {
				if err != nil || login.Member != "user_1" {
					t.Fatalf("got %+v, %v", login, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want an error that says %q", err, c.says)
			}
			if stored, err := client.config.Store.Load(t.Context(), ""); !errors.Is(err, ErrNoTokens) {
				t.Errorf("tokens of nobody are kept: %v, %v", stored.Version, err)
			}
		})
	}
}

func TestRefresh_OIDCCore_12_2_TheIDTokenIsTheMembers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		altered map[string]any
		none    bool
		taken   bool
	}{
		"the member's":     {altered: map[string]any{"nonce": nil}, taken: true},
		"none at all":      {none: true, taken: true},
		"another member's": {altered: map[string]any{"sub": "user_2"}},
		"without a sub":    {altered: map[string]any{"sub": nil}},
		"without an iat":   {altered: map[string]any{"iat": nil}},
		"another app's":    {altered: map[string]any{"aud": "client_2"}},
		"another issuer's": {altered: map[string]any{"iss": "https://evil.example"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFakeLoop(t)
			client := f.client(t, nil)
			fields := map[string]any{"expires_in": 3600, "id_token": f.idToken(t, c.altered)}
			if c.none {
				delete(fields, "id_token")
			}
			f.gives(fields)
			tokens, err := client.Tokens(t.Context(), "user_1")
			if c.taken {
				if err != nil || tokens.Access != "at" {
					t.Errorf("got %v", err)
				}
				return
			}
			if !errors.Is(err, ErrReconnect) || !errors.Is(err, errForeignToken) {
				t.Errorf("got %v, want ErrReconnect and why", err)
			}
			if stored, _ := client.config.Store.Load(t.Context(), "user_1"); stored.Access == "at" || stored.Refresh == "rt2" {
				t.Error("somebody else's tokens are kept")
			}
		})
	}
}

func TestTokens_RFC6749_5_1_WithoutExpiresInTheyLiveAnHour(t *testing.T) {
	t.Parallel()
	for name, fields := range map[string]map[string]any{"missing": {}, "0": {"expires_in": 0}, "below 0": {"expires_in": -5}, "absurd": {"expires_in": int64(1) << 62}} {
		f := newFakeLoop(t)
		now := time.Now()
		client := f.client(t, func(c *Config) { c.Now = func() time.Time { return now } })
		f.gives(fields)
		if tokens, err := client.Tokens(t.Context(), "user_1"); err != nil || !tokens.Expiry.Equal(now.Add(time.Hour)) {
			t.Errorf("%s: it expires at %v, %v", name, tokens.Expiry, err)
		}
	}
}

func TestConfig_RFC6749_2_3_1_TheSecretGoesByBasicWhereAskedFor(t *testing.T) {
	t.Parallel()
	for basic, want := range map[bool]string{true: "header client_1 s+e%2Bcret form ", false: "header   form s e+cret"} {
		f := newFakeLoop(t)
		client := f.client(t, func(c *Config) { c.BasicAuth = basic })
		got := ""
		f.answers(func(w http.ResponseWriter, r *http.Request) {
			id, secret, _ := r.BasicAuth()
			got = fmt.Sprintf("header %s %s form %s", id, secret, r.PostFormValue("client_secret"))
			w.WriteHeader(http.StatusBadRequest)
		})
		_, _ = client.Tokens(t.Context(), "user_1")
		if got != want {
			t.Errorf("BasicAuth %v: %q, want %q", basic, got, want)
		}
	}
	if _, err := New(Config{BasicAuth: true}); err == nil || !strings.Contains(err.Error(), "BasicAuth sends a ClientSecret") {
		t.Errorf("without a secret: %v", err)
	}
}

func TestClient_FollowsNoRedirect(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int64
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		elsewhere.Add(1)
		writeJSON(w, map[string]any{"access_token": "at", "biomarkers": []any{}})
	}))
	defer thief.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for name, app := range map[string]*http.Client{"its own": nil, "the app's": {Timeout: time.Minute}} {
			f := newFakeLoop(t)
			client := f.client(t, func(c *Config) { c.HTTP = app })
			f.answers(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, thief.URL, status) })
			if _, err := client.Tokens(t.Context(), "user_1"); err == nil {
				t.Errorf("%d, with %s client: the answer of another is taken", status, name)
			}
			if err := client.config.Store.Save(t.Context(), "user_1", -1, Tokens{Access: "at", Expiry: time.Now().Add(time.Hour)}); err != nil {
				t.Fatal(err)
			}
			away := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, thief.URL, status) })
			api := httptest.NewServer(away)
			client.config.API = api.URL
			if page, err := client.For("user_1").Biomarkers.List(t.Context(), BiomarkerQuery{}); err == nil {
				t.Errorf("%d, with %s client: %+v is taken for lab results", status, name, page)
			}
			api.Close()
			if app != nil && app.CheckRedirect != nil {
				t.Error("the app's own client is changed")
			}
		}
	}
	if elsewhere.Load() != 0 {
		t.Errorf("%d requests went elsewhere", elsewhere.Load())
	}
}

func TestClient_AnAnswerHasAnEnd(t *testing.T) {
	t.Parallel()
	f := newFakeLoop(t)
	client := f.client(t, func(c *Config) { c.MaxAnswer = 4 << 10 })
	f.answers(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"access_token":"at","expires_in":3600,"padding":"%s"}`, strings.Repeat("x", 8<<10))
	})
	if _, err := client.Tokens(t.Context(), "user_1"); !errors.Is(err, errTooLong) {
		t.Errorf("a token answer of 8 KiB: %v", err)
	}
	for size, taken := range map[int]bool{4 << 10: true, 4<<10 + 1: false} {
		if err := client.config.Store.Save(t.Context(), "user_1", -1, Tokens{Access: "at", Expiry: time.Now().Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			const frame = `{"next_cursor":""}`
			_, _ = fmt.Fprintf(w, `{"next_cursor":"%s"}`, strings.Repeat("x", size-len(frame)))
		}))
		client.config.API = api.URL
		if _, err := client.For("user_1").Biomarkers.List(t.Context(), BiomarkerQuery{}); (err == nil) != taken || !taken && !errors.Is(err, errTooLong) {
			t.Errorf("an answer of %d bytes: %v", size, err)
		}
		api.Close()
	}
}

func TestDiscovery_IsRefreshedBesideTheCallers(t *testing.T) {
	t.Parallel()
	f := newFakeLoop(t)
	var clock atomic.Int64
	client := f.client(t, func(c *Config) { c.Now = func() time.Time { return time.Unix(1_800_000_000+clock.Load(), 0) } })
	if _, _, err := client.Begin(t.Context(), "/"); err != nil {
		t.Fatal(err)
	}
	hang, arrived := make(chan struct{}), make(chan struct{}, 10)
	hanging := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-hang
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	f.discovery.Store(&hanging)
	clock.Store(2 * 60 * 60)
	for range 3 {
		if _, _, err := client.Begin(t.Context(), "/"); err != nil {
			t.Fatalf("while Loop hangs, what was found before is of no use: %v", err)
		}
	}
	<-arrived
	if f.asked.Load() != 2 {
		t.Errorf("it was discovered %d times, want once before and one question on its way", f.asked.Load())
	}
	close(hang)
}

func TestDiscovery_ACallerObeysItsContext(t *testing.T) {
	t.Parallel()
	f := newFakeLoop(t)
	hang, arrived := make(chan struct{}), make(chan struct{})
	hanging := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(arrived)
		<-hang
	})
	f.discovery.Store(&hanging)
	defer close(hang)
	client := f.client(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	if _, _, err := client.Begin(ctx, "/"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestRetryAfter_NeverOutlivesTheContext(t *testing.T) {
	t.Parallel()
	f := newFakeLoop(t)
	client := f.client(t, nil)
	var asked atomic.Int64
	f.answers(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
		writeJSON(w, map[string]any{"error": "rate_limited"})
	})
	for name, ask := range map[string]func() error{
		"a login":   func() error { _, err := finish(t, client); return err },
		"a refresh": func() error { _, err := client.Tokens(t.Context(), "user_1"); return err },
	} {
		asked.Store(0)
		known, ok := errors.AsType[*Error](ask()) // waiting would last an hour, and the test's time out
		if !ok || known.RetryAfter != time.Hour || asked.Load() != 1 {
			t.Errorf("%s: got %v after %d requests", name, known, asked.Load())
		}
	}
}

func TestPatience_EndsWithTheBudgetAndTheContext(t *testing.T) {
	t.Parallel()
	var waits patience
	if !waits.allows(t.Context(), budget) || waits.allows(t.Context(), 1) {
		t.Error("it waits longer than its budget")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if fresh := new(patience); fresh.allows(ctx, 2*time.Second) {
		t.Error("it waits longer than the context")
	}
}

func TestLoginHandler_FlowsOfABrowserAreBounded(t *testing.T) {
	t.Parallel()
	f := newFakeLoop(t)
	now := time.Now()
	client := f.client(t, func(c *Config) {
		c.RedirectURL = "http://localhost/callback"
		c.Now = func() time.Time { now = now.Add(time.Second); return now }
	})
	app := httptest.NewServer(client.LoginHandler())
	defer app.Close()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	at, _ := url.Parse(app.URL)
	jar.SetCookies(at, []*http.Cookie{{Name: client.cookieName(flowPrefix + "00"), Value: "nobody can read this"}})
	browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var states []string
	for n := range 20 {
		r, err := browser.Get(app.URL + "/login?return_to=/" + strings.Repeat("p", maxReturnTo-1)) //nolint:noctx // a test's browser
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
		to, _ := url.Parse(r.Header.Get("Location"))
		states = append(states, flowCookie(to.Query().Get("state")))
		size, held := 0, map[string]bool{}
		for _, cookie := range jar.Cookies(at) {
			size += len(cookie.Name) + len(cookie.Value) + 3
			held[strings.TrimPrefix(cookie.Name, client.cookieName(""))] = true
		}
		if len(held) > maxFlows || size > 8<<10 {
			t.Fatalf("after %d logins there are %d cookies of %d bytes", n+1, len(held), size)
		}
		for _, name := range states[max(0, len(states)-maxFlows):] {
			if n >= maxFlows && !held[name] {
				t.Fatalf("after %d logins one of the newest five is gone", n+1)
			}
		}
	}
}

func TestLocalPath_IsBounded(t *testing.T) {
	t.Parallel()
	if path := "/" + strings.Repeat("p", maxReturnTo-1); localPath(path) != path || localPath(path+"p") != "" {
		t.Errorf("%d bytes are the bound", maxReturnTo)
	}
}

// Cookies know no ports: on a developer's machine the app and Loop have one host name,
// and so one set of cookies, where Loop's own session is called loop_session.
func TestStartSession_OnPlainHTTPTheCookieIsNotLoopsOwn(t *testing.T) {
	t.Parallel()
	client := newFakeLoop(t).client(t, func(c *Config) { c.RedirectURL = "http://localhost:5000/callback" })
	set := httptest.NewRecorder()
	if err := client.StartSession(set, "user_1"); err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
	request.AddCookie(&http.Cookie{Name: "loop_session", Value: "lph_ss_loops_own"}) // came first: RFC 6265 §5.4
	for _, cookie := range set.Result().Cookies() {
		if cookie.Name == "loop_session" {
			t.Error("it takes the place of Loop's own cookie, and the member is signed out there")
		}
		request.AddCookie(cookie)
	}
	if member, err := client.Session(request); err != nil || member != "user_1" {
		t.Errorf("beside Loop's own cookie the session is %q, %v", member, err)
	}
}
