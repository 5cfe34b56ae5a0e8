package connecttest_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/connect"
	"github.com/loop-health/loop/connect/connecttest"
)

// app is a ten-line app: it says who is signed in, and how many results they have.
func app(t *testing.T, p *connecttest.Platform) (address string) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = "http://" + listener.Addr().String()
	client := newClient(t, p.NewApp(t, address+"/callback"))
	mux := http.NewServeMux()
	mux.Handle("GET /login", client.LoginHandler())
	mux.Handle("GET /callback", client.CallbackHandler())
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		member, err := client.Session(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		page, err := client.For(member).Biomarkers.List(r.Context(), connect.BiomarkerQuery{})
		switch {
		case errors.Is(err, connect.ErrReconnect):
			http.Error(w, "connect again", http.StatusConflict)
		case err != nil:
			http.Error(w, err.Error(), http.StatusBadGateway)
		default:
			_, _ = fmt.Fprintf(w, "%s at %s: %d results", member, r.URL, len(page.Biomarkers))
		}
	})
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}}
	server.Start()
	t.Cleanup(server.Close)
	return address
}

// shows opens an address and holds what is shown to a status and a text.
func shows(t *testing.T, b *connecttest.Browser, address string, status int, text string) {
	t.Helper()
	page, err := b.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	if page.Status != status || !strings.Contains(string(page.Body), text) {
		t.Errorf("%s shows %d %s, want %d and %q", address, page.Status, page.Body, status, text)
	}
}

func TestHandlers_SignInAndComeBack(t *testing.T) {
	t.Parallel()
	p := connecttest.New(t)
	ada := p.AddMember(t, "Ada")
	p.AddResults(t, ada, connecttest.Result{Code: "tsh", Value: "2.41"})
	address := app(t, p)
	b := p.NewBrowser(t, ada)
	shows(t, b, address+"/", http.StatusUnauthorized, "nobody is signed in")
	shows(t, b, address+"/login?return_to=/results%3Fpage%3D2", http.StatusOK, ada.ID+" at /results?page=2: 1 results")
	shows(t, b, address+"/login?return_to=https://evil.example/", http.StatusOK, ada.ID+" at /: 1 results")
	shows(t, p.NewBrowser(t, ada), address+"/", http.StatusUnauthorized, "nobody is signed in")
}

func TestHandlers_WhatComesToNothingIsSaid(t *testing.T) {
	t.Parallel()
	p := connecttest.New(t)
	ada := p.AddMember(t, "Ada")
	address := app(t, p)
	denies := p.NewBrowser(t, ada)
	denies.Denies = true
	shows(t, denies, address+"/login", http.StatusForbidden, "You did not allow it")
	shows(t, denies, address+"/", http.StatusUnauthorized, "nobody is signed in")
	for name, query := range map[string]string{
		"nothing": "", "a code that nobody asked for": "?code=lph_ac_x&state=x&iss=" + url.QueryEscape(p.Issuer), "an error that nobody asked for": "?error=access_denied&state=x",
	} {
		t.Run(name, func(t *testing.T) {
			shows(t, p.NewBrowser(t, ada), address+"/callback"+query, http.StatusBadRequest, "does not belong")
		})
	}
	leaves := p.NewBrowser(t, ada)
	leaves.LeavesOut = []string{"read:biomarkers"}
	shows(t, leaves, address+"/login", http.StatusBadGateway, "insufficient_scope")
}

func TestHandlers_AGrantThatHasEndedAsksToConnectAgain(t *testing.T) {
	t.Parallel()
	p := connecttest.New(t)
	ada := p.AddMember(t, "Ada")
	address := app(t, p)
	b := p.NewBrowser(t, ada)
	shows(t, b, address+"/login", http.StatusOK, "0 results")
	p.EndGrants(t, ada)
	for range 2 {
		shows(t, b, address+"/", http.StatusConflict, "connect again")
	}
	shows(t, b, address+"/login", http.StatusOK, "0 results")
}

// Two tabs of one browser do not disturb each other.
func TestHandlers_TwoTabsWork(t *testing.T) {
	t.Parallel()
	p := connecttest.New(t)
	ada := p.AddMember(t, "Ada")
	address := app(t, p)
	b := p.NewBrowser(t, ada)
	shows(t, b, address+"/login", http.StatusOK, "0 results")
	first, second := begin(t, address, ""), begin(t, address, "")
	if first.cookie.Name == second.cookie.Name {
		t.Fatal("two flows share a cookie")
	}
	if first.cookie.HttpOnly == false || first.cookie.SameSite != http.SameSiteLaxMode || first.cookie.Secure || strings.Contains(first.cookie.Value, first.state) {
		t.Errorf("the flow's cookie is %v", first.cookie)
	}
}

// begun is a flow as a browser has it.
type begun struct {
	cookie *http.Cookie
	state  string
	to     *url.URL
}

func begin(t *testing.T, address, query string) begun {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/login"+query, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // it is empty
	to, err := response.Location()
	if err != nil || len(response.Cookies()) != 1 {
		t.Fatalf("%v, %d cookies", err, len(response.Cookies()))
	}
	return begun{response.Cookies()[0], to.Query().Get("state"), to}
}

// An answer counts only from the issuer, in the browser that asked, for the flow that it
// asked for.
func TestFinish_TakesOnlyItsOwnAnswer(t *testing.T) {
	t.Parallel()
	p := connecttest.New(t)
	ada := p.AddMember(t, "Ada")
	client := newClient(t, p.NewApp(t, callback))
	_, flow, err := client.Begin(t.Context(), "/")
	if err != nil {
		t.Fatal(err)
	}
	good := url.Values{"code": {"lph_ac_x"}, "state": {string(flow.State)}, "iss": {p.Issuer}}
	for name, alter := range map[string]func(url.Values){
		"another state":        func(v url.Values) { v.Set("state", "x") },
		"no state":             func(v url.Values) { v.Del("state") },
		"two states":           func(v url.Values) { v.Add("state", "x") },
		"two codes":            func(v url.Values) { v.Add("code", "x") },
		"another issuer":       func(v url.Values) { v.Set("iss", "https://identity.evil.example") },
		"no issuer (RFC 9207)": func(v url.Values) { v.Del("iss") },
	} {
		answer := url.Values{}
		for key, values := range good {
			answer[key] = append([]string{}, values...)
		}
		alter(answer)
		if _, err := client.Finish(t.Context(), flow, answer); !errors.Is(err, connect.ErrForeignAnswer) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := client.Finish(t.Context(), connect.Flow{}, url.Values{"code": {"x"}, "state": {""}, "iss": {p.Issuer}}); !errors.Is(err, connect.ErrForeignAnswer) {
		t.Errorf("no flow at all: %v", err)
	}
	known, ok := errors.AsType[*connect.Error](func() error { _, err := client.Finish(t.Context(), flow, good); return err }())
	if !ok || known.Code != "invalid_grant" || known.RequestID == "" || !strings.Contains(known.Page, "invalid_grant") {
		t.Errorf("a code that is none: %+v", known)
	}
	if _, err := p.Connect(t, client, ada); err != nil {
		t.Error(err)
	}
}
