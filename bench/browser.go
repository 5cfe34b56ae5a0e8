package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"
)

// patience is how long a browser waits for an answer.
const patience = 10 * time.Second

// browser is one person's. It keeps cookies, and shows each redirect.
type browser struct{ http http.Client }

func newBrowser() (*browser, error) {
	jar, err := cookiejar.New(nil)
	return &browser{http.Client{
		Jar: jar, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, err
}

// screen is what a person sees: a page, or the way to the next.
type screen struct {
	at, next *url.URL // next is nil on a page
	body     []byte
}

// send makes a request, of a form where there is one.
func (b *browser) send(ctx context.Context, method string, to *url.URL, form url.Values) (screen, error) {
	r, err := http.NewRequestWithContext(ctx, method, to.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return screen{}, err
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := b.http.Do(r)
	if err != nil {
		return screen{}, err
	}
	defer func() { _ = answer.Body.Close() }()
	seen := screen{at: to}
	if seen.body, err = io.ReadAll(answer.Body); err != nil {
		return screen{}, err
	}
	if answer.StatusCode >= http.StatusBadRequest {
		return screen{}, fmt.Errorf("%s answered %d: %s", to, answer.StatusCode, seen.body)
	}
	if answer.Header.Get("Location") != "" {
		seen.next, err = answer.Location()
	}
	return seen, err
}

// walk goes from an authorization request to the app's redirect URI, by way of the
// pages that press fills in and sends.
func (b *browser) walk(ctx context.Context, authorization *url.URL, request url.Values, press func(context.Context, screen) (screen, error)) (callback *url.URL, err error) {
	address := *authorization
	address.RawQuery = request.Encode()
	seen, err := b.send(ctx, http.MethodGet, &address, nil)
	for range 10 {
		switch {
		case err != nil:
			return nil, err
		case seen.next == nil:
			seen, err = press(ctx, seen)
		case seen.next.Query().Has("code"):
			return seen.next, nil
		default:
			seen, err = b.send(ctx, http.MethodGet, seen.next, nil)
		}
	}
	return nil, errors.New("sign-in and consent lead in a circle")
}

// cookies is what the browser sends to an address, as a header.
func (b *browser) cookies(to *url.URL) string {
	var pairs []string
	for _, cookie := range b.http.Jar.Cookies(to) {
		pairs = append(pairs, cookie.String())
	}
	return strings.Join(pairs, "; ")
}
