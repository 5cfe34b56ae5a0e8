package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/loop-health/loop/internal/pagetest"
)

// person is a member who has signed in and allowed the app, so that every
// further authorization is answered without a page.
type person struct {
	platform        *platform
	email, password string
	browser         *browser
	cookies         string // of the session, as a header
	refreshToken    string
	accessToken     string
}

// people makes n members, signs each in and lets each allow the app. The first
// is the platform's own member, who has lab results.
func (p *platform) people(ctx context.Context, n int) ([]*person, error) {
	people := make([]*person, n)
	for i := range people {
		who := &person{platform: p, email: p.env["LOOP_MEMBER_EMAIL"], password: p.env["LOOP_MEMBER_PASSWORD"]}
		if i > 0 {
			var err error
			if who.email, who.password, err = p.account(ctx, i); err != nil {
				return nil, err
			}
		}
		if err := who.arrive(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", who.email, err)
		}
		people[i] = who
	}
	p.reader = people[0]
	return people, nil
}

// arrive signs in, allows the app and gets a first pair of tokens.
func (who *person) arrive(ctx context.Context) error {
	var err error
	if who.browser, err = newBrowser(); err != nil {
		return err
	}
	verifier := pagetest.Verifier()
	callback, err := who.browser.walk(ctx, who.platform.authorize, who.request(verifier), who.press)
	if err != nil {
		return err
	}
	who.cookies = who.browser.cookies(who.platform.authorize)
	w, err := dial(ctx, who.platform.token.Host)
	if err != nil {
		return err
	}
	defer func() { _ = w.conn.Close() }()
	return who.redeem(w, callback.Query().Get("code"), verifier)
}

// press fills in the page that is shown, sign-in or consent, and sends it.
func (who *person) press(ctx context.Context, seen screen) (screen, error) {
	for _, button := range []string{"sign-in", "allow"} {
		form, err := pagetest.Press(bytes.NewReader(seen.body), button)
		if err != nil {
			return screen{}, err
		}
		if form == nil {
			continue
		}
		if button == "sign-in" {
			form.Values.Set("email", who.email)
			form.Values.Set("password", who.password)
		}
		to, err := seen.at.Parse(form.Action)
		if err != nil {
			return screen{}, err
		}
		return who.browser.send(ctx, http.MethodPost, to, form.Values)
	}
	return screen{}, fmt.Errorf("%s neither signs in nor asks for consent:\n%s", seen.at.Path, seen.body)
}

// request is an authorization request of the app.
func (who *person) request(verifier string) url.Values {
	return url.Values{
		"response_type":         {"code"},
		"client_id":             {who.platform.env["LOOP_CLIENT_ID"]},
		"redirect_uri":          {who.platform.env["LOOP_REDIRECT_URI"]},
		"scope":                 {"openid profile read:biomarkers"},
		"state":                 {rand.Text()},
		"code_challenge":        {pagetest.Challenge(verifier)},
		"code_challenge_method": {"S256"},
	}
}

// authorizeRequest asks for a code, with consent remembered.
func (who *person) authorizeRequest(verifier string) []byte {
	address := *who.platform.authorize
	address.RawQuery = who.request(verifier).Encode()
	return getRequest(&address, "Cookie", who.cookies)
}

// authorize gets a code without a page.
func (who *person) authorize(w *wire, verifier string) (code string, err error) {
	status, err := w.exchange(who.authorizeRequest(verifier))
	if err != nil {
		return "", err
	}
	to, err := url.Parse(w.target)
	if err != nil {
		return "", err
	}
	if code = to.Query().Get("code"); status != http.StatusSeeOther || code == "" {
		return "", fmt.Errorf("authorize answered %d: %s%s", status, w.target, w.body)
	}
	return code, nil
}

func (who *person) tokenRequest(form url.Values) []byte {
	return who.platform.app().request(who.platform.token, form)
}

func (who *person) redeemRequest(code, verifier string) []byte {
	return who.tokenRequest(url.Values{
		"grant_type": {"authorization_code"}, "code": {code},
		"redirect_uri": {who.platform.env["LOOP_REDIRECT_URI"]}, "code_verifier": {verifier},
	})
}

func (who *person) redeem(w *wire, code, verifier string) error {
	return who.take(w, who.redeemRequest(code, verifier))
}

func (who *person) refreshRequest() []byte {
	return who.tokenRequest(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {who.refreshToken}})
}

func (who *person) refresh(w *wire) error { return who.take(w, who.refreshRequest()) }

// take asks for a pair of tokens and keeps it.
func (who *person) take(w *wire, request []byte) error {
	status, err := w.exchange(request)
	if err != nil {
		return err
	}
	var answer struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	if err := json.Unmarshal(w.body, &answer); err != nil || status != http.StatusOK {
		return fmt.Errorf("token answered %d: %s", status, w.body)
	}
	who.accessToken, who.refreshToken = answer.Access, answer.Refresh
	return nil
}

func (who *person) readRequest(accessToken string) []byte {
	return bearerRequest(who.platform.biomarkers, accessToken)
}
