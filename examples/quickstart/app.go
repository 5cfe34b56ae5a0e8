// Package quickstart is the smallest whole app on Connect with Loop: it sends a
// member to sign in and consent, exchanges the code, reads their lab results
// and refreshes its tokens. `loop dev` serves it; serve/ runs it by itself.
//
// It keeps tokens in memory and forgets them when it stops. An app for real
// members keeps them encrypted in a database.
package quickstart

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"golang.org/x/oauth2"
)

// Config is what the app needs, as `.loop/dev.env` names it.
type Config struct {
	IdentityURL  string // LOOP_IDENTITY_URL: who signs members in
	ClinicalURL  string // LOOP_CLINICAL_URL: where the lab results are
	ClientID     string // LOOP_CLIENT_ID
	ClientSecret string // LOOP_CLIENT_SECRET
	RedirectURI  string // LOOP_REDIRECT_URI, exactly as registered
}

type app struct {
	oauth    oauth2.Config
	issuer   string
	clinical string
	secure   bool

	mu     sync.Mutex
	tokens map[string]*oauth2.Token // by session
}

// New makes the app's handler.
func New(c Config) http.Handler {
	a := &app{
		issuer:   c.IdentityURL,
		clinical: c.ClinicalURL,
		secure:   strings.HasPrefix(c.RedirectURI, "https:"),
		tokens:   map[string]*oauth2.Token{},
		// docs:begin config
		oauth: oauth2.Config{
			ClientID:     c.ClientID,
			ClientSecret: c.ClientSecret,
			RedirectURL:  c.RedirectURI,
			Scopes:       []string{"openid", "profile", "read:biomarkers"},
			Endpoint: oauth2.Endpoint{
				AuthURL:   c.IdentityURL + "/v1/oauth/authorize",
				TokenURL:  c.IdentityURL + "/v1/oauth/token",
				AuthStyle: oauth2.AuthStyleInParams,
			},
		},
		// docs:end config
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.home)
	mux.HandleFunc("GET /login", a.login)
	mux.HandleFunc("GET /callback", a.callback)
	mux.HandleFunc("GET /refresh", a.refresh)
	return mux
}

// docs:begin login

// login sends the member to Loop, with PKCE and a state that only this browser
// holds.
func (a *app) login(w http.ResponseWriter, r *http.Request) {
	state, verifier := rand.Text(), oauth2.GenerateVerifier()
	a.setCookie(w, "flow", state+"."+verifier)
	http.Redirect(w, r, a.oauth.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier)), http.StatusFound)
}

// docs:end login

// docs:begin callback

// callback takes the answer, exchanges the code and reads the lab results.
func (a *app) callback(w http.ResponseWriter, r *http.Request) {
	state, verifier, _ := strings.Cut(cookie(r, "flow"), ".")
	a.setCookie(w, "flow", "")
	if state == "" || r.FormValue("state") != state || r.FormValue("iss") != a.issuer {
		answer(w, http.StatusBadRequest, map[string]any{"error": "This answer does not belong to a request from this browser."})
		return
	}
	if code := r.FormValue("error"); code != "" {
		answer(w, http.StatusBadRequest, map[string]any{"error": code})
		return
	}
	token, err := a.oauth.Exchange(r.Context(), r.FormValue("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		fail(w, "Token exchange failed", err)
		return
	}
	session := rand.Text()
	a.setCookie(w, "session", session)
	a.keep(session, token)
	a.show(w, r, token)
}

// docs:end callback

// docs:begin refresh

// refresh gets a new pair of tokens. Each refresh token works once: the new one
// is kept before anything else is done with it, and one refresh at a time.
func (a *app) refresh(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	session := cookie(r, "session")
	held, ok := a.tokens[session]
	if !ok {
		http.Redirect(w, r, "/login", http.StatusFound)
		return
	}
	token, err := a.oauth.TokenSource(r.Context(), &oauth2.Token{RefreshToken: held.RefreshToken}).Token()
	if err != nil {
		delete(a.tokens, session)
		fail(w, "Token refresh failed", err)
		return
	}
	a.tokens[session] = token
	a.show(w, r, token)
}

// docs:end refresh

func (a *app) keep(session string, token *oauth2.Token) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tokens[session] = token
}

// show answers with what the app may see.
func (a *app) show(w http.ResponseWriter, r *http.Request, token *oauth2.Token) {
	biomarkers, err := a.biomarkers(r.Context(), token)
	if err != nil {
		fail(w, "Reading lab results failed", err)
		return
	}
	answer(w, http.StatusOK, map[string]any{
		"message":    "Connected to Loop!",
		"scopes":     token.Extra("scope"),
		"biomarkers": biomarkers,
	})
}

// docs:begin biomarkers

// biomarkers reads the member's lab results; null where they did not allow it.
func (a *app) biomarkers(ctx context.Context, token *oauth2.Token) (json.RawMessage, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.clinical+"/v1/biomarkers/me", nil)
	if err != nil {
		return nil, err
	}
	token.SetAuthHeader(req)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end below
	switch resp.StatusCode {
	case http.StatusForbidden:
		return json.RawMessage("null"), nil
	case http.StatusOK:
		var results json.RawMessage
		return results, json.NewDecoder(resp.Body).Decode(&results)
	default:
		return nil, fmt.Errorf("clinical answered %s", resp.Status)
	}
}

// docs:end biomarkers

func (a *app) home(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprint(w, `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">
<title>Quickstart</title><h1>Quickstart</h1>
<p><a href="/login">Connect with Loop</a></p><p><a href="/refresh">Refresh the tokens and read again</a></p></html>`)
}

// setCookie sets a cookie that scripts cannot read; an empty value ends it.
func (a *app) setCookie(w http.ResponseWriter, name, value string) {
	c := &http.Cookie{ //nolint:gosec // G124: Secure is left out on plain http alone
		Name: "quickstart_" + name, Value: value, Path: "/", MaxAge: 600, HttpOnly: true, Secure: a.secure, SameSite: http.SameSiteLaxMode,
	}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

func cookie(r *http.Request, name string) string {
	c, err := r.Cookie("quickstart_" + name)
	if err != nil {
		return ""
	}
	return c.Value
}

func answer(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the browser has gone: nobody is left to tell
}

// fail answers with what Loop said, never with a token.
func fail(w http.ResponseWriter, what string, err error) {
	body := map[string]any{"error": what}
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		body["detail"] = map[string]string{"error": refused.ErrorCode, "error_description": refused.ErrorDescription, "error_uri": refused.ErrorURI}
	}
	answer(w, http.StatusBadGateway, body)
}
