package web

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/limit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
)

// issuer stands for identity: it knows tokens by their text, and their app.
type issuer struct {
	tokens  map[string]oauth.AccessToken
	unknown error // of the app
	refused []audit.Refusal
	down    error

	accepted int
}

func (*issuer) NewNonce() string { return "a nonce" }

func (i *issuer) Admit(p oauth.Presented) (oauth.Admitted, error) {
	token, ok := i.tokens[p.Token]
	if !ok {
		return oauth.Admitted{}, loop.Errorf(loop.InvalidToken, "The access token is not valid.")
	}
	return oauth.Admitted{AccessToken: token}, nil
}

func (i *issuer) Accept(oauth.Admitted) error {
	i.accepted++
	return nil
}

func (i *issuer) Client(_ context.Context, id loop.ClientID) (*loop.Client, error) {
	if i.unknown != nil {
		return nil, i.unknown
	}
	return &loop.Client{ID: id, Type: loop.Confidential, Protocol: loop.Protocol{AllowedOrigins: []loop.Origin{"https://app.example"}}}, nil
}

func (i *issuer) RecordRefusal(_ context.Context, refusal audit.Refusal) error {
	i.refused = append(i.refused, refusal)
	return i.down
}

// newResource makes a host with one address that needs read:biomarkers, and the
// issuer of its tokens: one that is good, one without the scope, one of a sign-in
// of yesterday.
func newResource(t *testing.T, inForm bool) (http.Handler, *issuer) {
	t.Helper()
	w := loop.Machine{}
	full := loop.NewScopes(loop.ScopeReadBiomarkers)
	i := &issuer{tokens: map[string]oauth.AccessToken{
		"good":   {Member: "user_A", Client: "client_A", Grant: "grant_A", Chain: "chain_A", Scopes: full, Authentication: loop.Authentication{At: w.Now()}},
		"narrow": {Member: "user_A", Client: "client_A", Grant: "grant_A", Chain: "chain_B", Scopes: loop.NewScopes(loop.ScopeOpenID), Authentication: loop.Authentication{At: w.Now()}},
		"stale":  {Member: "user_A", Client: "client_A", Grant: "grant_A", Chain: "chain_C", Scopes: full, Authentication: loop.Authentication{At: w.Now().Add(-24 * time.Hour)}},
	}}
	site := NewSite(Config{
		PublicURL: &url.URL{Scheme: "https", Host: "clinical.platform.test"}, Developers: &url.URL{Scheme: "https", Host: "developers.platform.test"},
		World: w, Log: slog.New(slog.DiscardHandler), Limits: limit.New(w),
		Origins: func(context.Context, string) bool { return true },
	})
	resource := &Resource{Site: site, Tokens: i, Clients: i, Refusals: i, Metadata: "https://clinical.platform.test/metadata", SignInMaxAge: time.Hour}
	answer := resource.Require(Access{Scope: loop.ScopeReadBiomarkers, Class: limit.Read, InForm: inForm}, func(w http.ResponseWriter, _ *http.Request, token oauth.AccessToken) error {
		return WriteJSON(w, http.StatusOK, map[string]string{"member": string(token.Member)})
	})
	site.BrowserAPI("GET /results", answer)
	site.BrowserAPI("POST /results", answer)
	return site.Handler(), i
}

func TestResource(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		token     string
		unknown   error
		down      error
		status    int
		code      loop.Code
		challenge string // what WWW-Authenticate begins with
		refused   int
	}{
		"a good token": {token: "good", status: 200},
		"RFC 6750 §3.1 no token, no error in the challenge": {status: 401, code: loop.Unauthenticated, challenge: `Bearer realm="Loop", scope="read:biomarkers", resource_metadata=`},
		"a token that works no more":                        {token: "old", status: 401, code: loop.InvalidToken, challenge: `Bearer realm="Loop", error="invalid_token"`},
		"RFC 6750 §3.1 a token without the scope, recorded": {token: "narrow", status: 403, code: loop.InsufficientScope, challenge: `Bearer realm="Loop", error="insufficient_scope", scope="read:biomarkers"`, refused: 1},
		"a refusal that can't be recorded isn't answered":   {token: "narrow", down: errors.New("disk full"), status: 503, code: loop.TemporarilyUnavailable, refused: 1},
		"RFC 9470 §3 a sign-in of yesterday":                {token: "stale", status: 401, code: loop.InsufficientUserAuthentication, challenge: `Bearer realm="Loop", error="insufficient_user_authentication", max_age="3600"`},
		"a token of an app that is gone":                    {token: "good", unknown: loop.ErrNotFound, status: 401, code: loop.InvalidToken, challenge: `Bearer realm="Loop", error="invalid_token"`},
		"an app that can't be looked up":                    {token: "good", unknown: errors.New("identity is down"), status: 503, code: loop.TemporarilyUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, i := newResource(t, false)
			i.unknown, i.down = test.unknown, test.down
			r := httptest.NewRequest(http.MethodGet, "https://clinical.platform.test/results", http.NoBody)
			if test.token != "" {
				r.Header.Set("Authorization", "Bearer "+test.token)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			var answer struct {
				Error loop.Code `json:"error"`
			}
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
				t.Fatal(err)
			}
			if w.Code != test.status || answer.Error != test.code || len(i.refused) != test.refused {
				t.Errorf("%d %s, %d refusals recorded", w.Code, w.Body, len(i.refused))
			}
			if got := w.Header().Get("WWW-Authenticate"); !strings.HasPrefix(got, test.challenge) || test.challenge == "" && got != "" {
				t.Errorf("the challenge is %q", got)
			}
			if i.accepted > 0 != (test.status == http.StatusOK) {
				t.Errorf("what came with a token was used up %d times", i.accepted)
			}
			if w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("a cache may keep it: %v", w.Header())
			}
		})
	}
}

func TestResource_ATokenMayComeInAForm(t *testing.T) {
	t.Parallel()
	send := func(h http.Handler, header, query, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "https://clinical.platform.test/results"+query, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if header != "" {
			r.Header.Set("Authorization", header)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	taking, _ := newResource(t, true)
	other, _ := newResource(t, false)
	for name, test := range map[string]struct {
		host                http.Handler
		header, query, body string
		status              int
	}{
		"RFC 6750 §2.2 in the form":                    {taking, "", "", "access_token=good", 200},
		"in the header of a form":                      {taking, "Bearer good", "", "a=b", 200},
		"RFC 6750 §2 in both":                          {taking, "Bearer good", "", "access_token=good", 400},
		"twice in the form":                            {taking, "", "", "access_token=good&access_token=good", 400},
		"empty in the form, which is not there":        {taking, "", "", "access_token=", 401},
		"in the form and in the address":               {taking, "", "?access_token=good", "access_token=good", 400},
		"in the form of an address that takes no form": {other, "", "", "access_token=good", 401},
	} {
		t.Run(name, func(t *testing.T) {
			if w := send(test.host, test.header, test.query, test.body); w.Code != test.status {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}

func TestResource_WhatASenderMayReadOfARefusal(t *testing.T) {
	t.Parallel()
	h, _ := newResource(t, false)
	r := httptest.NewRequest(http.MethodGet, "https://clinical.platform.test/results", http.NoBody)
	r.Header.Set("Authorization", "DPoP narrow")
	r.Header.Set("DPoP", "a proof")
	r.Header.Set("Origin", "https://another.example") // of another app
	r.Header.Set("X-Fapi-Interaction-Id", "93bac548-d2de-4546-b106-880a5018460d")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	for name, want := range map[string]string{
		"DPoP-Nonce": "a nonce", "Access-Control-Allow-Origin": "", "X-Fapi-Interaction-Id": "93bac548-d2de-4546-b106-880a5018460d",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := w.Header().Get("WWW-Authenticate"); !strings.HasPrefix(got, `DPoP realm="Loop", error="insufficient_scope"`) || !strings.Contains(got, `algs="PS256 ES256 EdDSA"`) {
		t.Errorf("the challenge is %q", got)
	}
}

func TestResource_RequestsAreLimitedByApp(t *testing.T) {
	t.Parallel()
	h, _ := newResource(t, false)
	for range 10_000 {
		r := httptest.NewRequest(http.MethodGet, "https://clinical.platform.test/results", http.NoBody)
		r.Header.Set("Authorization", "Bearer good")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code == http.StatusTooManyRequests {
			return
		}
	}
	t.Error("10,000 requests of one app are answered")
}
