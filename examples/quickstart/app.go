// Package quickstart is the smallest whole app on Connect with Loop: it sends a
// member to sign in and consent, reads their lab results and refreshes its tokens.
// `loop dev` serves it; serve/ runs it by itself.
//
// It keeps tokens in memory and forgets them when it stops. An app for real
// members gives connect.Config a Store that lasts: examples/production does.
package quickstart

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/loop-health/loop/connect"
)

// Config is what the app needs, as `.loop/dev.env` names it.
type Config struct {
	IdentityURL  string // LOOP_IDENTITY_URL: who signs members in
	ClinicalURL  string // LOOP_CLINICAL_URL: where the lab results are
	ClientID     string // LOOP_CLIENT_ID
	ClientSecret string // LOOP_CLIENT_SECRET
	RedirectURI  string // LOOP_REDIRECT_URI, exactly as registered
}

type app struct{ loop *connect.Client }

// New makes the app's handler. The error says what the configuration lacks.
func New(c Config) (http.Handler, error) {
	// docs:begin config
	loop, err := connect.New(connect.Config{
		Issuer:       c.IdentityURL,
		API:          c.ClinicalURL,
		ClientID:     c.ClientID,
		ClientSecret: connect.Secret(c.ClientSecret),
		RedirectURL:  c.RedirectURI,
		AfterLogin:   "/results",
	})
	// docs:end config
	if err != nil {
		return nil, err
	}
	a := &app{loop}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.home)
	// docs:begin login
	mux.Handle("GET /login", loop.LoginHandler())
	mux.Handle("GET /callback", loop.CallbackHandler())
	mux.HandleFunc("GET /results", a.results)
	// docs:end login
	mux.HandleFunc("GET /refresh", a.refresh)
	return mux, nil
}

// docs:begin results

// results reads the lab results of the member who is signed in.
func (a *app) results(w http.ResponseWriter, r *http.Request) {
	member, err := a.loop.Session(r)
	if err != nil {
		http.Redirect(w, r, "/login", http.StatusFound)
		return
	}
	tokens, err := a.loop.Tokens(r.Context(), member)
	if err != nil {
		fail(w, r, err)
		return
	}
	var biomarkers *connect.BiomarkerPage // null where they did not allow it
	if tokens.Has("read:biomarkers") {
		if biomarkers, err = a.loop.For(member).Biomarkers.List(r.Context(), connect.BiomarkerQuery{}); err != nil {
			fail(w, r, err)
			return
		}
	}
	answer(w, http.StatusOK, map[string]any{
		"message":    "Connected to Loop!",
		"scopes":     strings.Join(tokens.Scopes, " "),
		"biomarkers": biomarkers,
	})
}

// docs:end results

// docs:begin refresh

// refresh gets a new pair of tokens before its time, which connect does by itself when
// it has to: once, whoever asks, and kept before it is used.
func (a *app) refresh(w http.ResponseWriter, r *http.Request) {
	member, err := a.loop.Session(r)
	if err != nil {
		http.Redirect(w, r, "/login", http.StatusFound)
		return
	}
	if _, err := a.loop.Refresh(r.Context(), member); err != nil {
		fail(w, r, err)
		return
	}
	a.results(w, r)
}

// docs:end refresh

// docs:begin fail

// fail answers with what Loop said, never with a token. A member who took their consent
// back connects again; nothing else helps.
func fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, connect.ErrReconnect) || errors.Is(err, connect.ErrNoTokens) {
		http.Redirect(w, r, "/login", http.StatusFound)
		return
	}
	body := map[string]any{"error": "Loop could not be asked"}
	if refused, ok := errors.AsType[*connect.Error](err); ok {
		body["detail"] = map[string]string{"error": refused.Code, "error_description": refused.Description, "error_uri": refused.Page}
	}
	answer(w, http.StatusBadGateway, body)
}

// docs:end fail

func (a *app) home(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprint(w, `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">
<title>Quickstart</title><h1>Quickstart</h1>
<p><a href="/login">Connect with Loop</a></p><p><a href="/refresh">Refresh the tokens and read again</a></p></html>`)
}

func answer(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the browser has gone: nobody reads the error
}
