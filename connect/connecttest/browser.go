package connecttest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/connect"
	"github.com/loop-health/loop/internal/pagetest"
)

// Browser is a member's browser. It signs in to Loop where it is asked to, and answers
// what an app asks for.
type Browser struct {
	// Denies has the member decline.
	Denies bool
	// LeavesOut are scopes that they do not allow.
	LeavesOut []string

	member Member
	issuer string
	http   *http.Client
}

// NewBrowser opens a member's browser, in which nobody has signed in yet.
func (p *Platform) NewBrowser(t testing.TB, m Member) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &Browser{member: m, issuer: p.Issuer, http: &http.Client{
		Jar: jar, Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Page is what a browser shows.
type Page struct {
	URL    *url.URL
	Status int
	Body   []byte
}

// maxSteps bounds how many pages a way may have.
const maxSteps = 20

// Get opens an address, and goes wherever that leads: through Loop's pages, until an
// app shows something.
func (b *Browser) Get(address string) (*Page, error) {
	return b.walk(address, func(*url.URL) bool { return false })
}

// walk goes on until there is a page that is not Loop's, or an address that ends it.
func (b *Browser) walk(address string, ends func(*url.URL) bool) (*Page, error) {
	response, err := b.http.Get(address) //nolint:noctx // it has a time limit
	for range maxSteps {
		if err != nil {
			return nil, err
		}
		to, located := response.Location()
		body, readErr := io.ReadAll(response.Body)
		if err := errors.Join(readErr, response.Body.Close()); err != nil {
			return nil, err
		}
		at := response.Request.URL
		switch {
		case located == nil && ends(to):
			return &Page{URL: to}, nil
		case located == nil:
			response, err = b.http.Get(to.String()) //nolint:noctx,bodyclose // as above
		case !strings.HasPrefix(at.String(), b.issuer+"/"):
			return &Page{URL: at, Status: response.StatusCode, Body: body}, nil
		case response.StatusCode != http.StatusOK:
			return nil, fmt.Errorf("at Loop: %s at %s", response.Status, at.Path)
		default:
			response, err = b.answer(at, body) //nolint:bodyclose // as above
		}
	}
	return nil, errors.New("it leads in a circle")
}

// answer fills in a page of Loop's and sends it.
func (b *Browser) answer(at *url.URL, body []byte) (*http.Response, error) {
	button := "allow"
	switch text := string(body); {
	case strings.Contains(text, `id="sign-in"`):
		button = "sign-in"
	case strings.Contains(text, `id="continue"`): // a notice to the member
		button = "continue"
	case b.Denies:
		button = "deny"
	case strings.Contains(text, `id="continue-as"`):
		button = "continue-as"
	}
	form, err := pagetest.Press(bytes.NewReader(body), button)
	if err != nil || form == nil {
		return nil, fmt.Errorf("the page at %s has no button %s (%w)", at.Path, button, err)
	}
	if button == "sign-in" {
		form.Values.Set("email", b.member.Email)
		form.Values.Set("password", b.member.Password)
	}
	form.Values["scope"] = slices.DeleteFunc(form.Values["scope"], func(scope string) bool { return slices.Contains(b.LeavesOut, scope) })
	to, err := at.Parse(form.Action)
	if err != nil {
		return nil, err
	}
	return b.http.PostForm(to.String(), form.Values) //nolint:noctx // it has a time limit
}

// Connect takes a member through an app's login, step by step and without the app's
// own pages: their tokens are in its store then. What the app is answered in place of
// them is the error.
func (p *Platform) Connect(t testing.TB, client *connect.Client, m Member) (*connect.Login, error) {
	t.Helper()
	return p.ConnectWith(t, client, p.NewBrowser(t, m))
}

// ConnectWith is Connect with a browser that the test has prepared.
func (p *Platform) ConnectWith(t testing.TB, client *connect.Client, b *Browser) (*connect.Login, error) {
	t.Helper()
	address, flow, err := client.Begin(t.Context(), "")
	if err != nil {
		return nil, err
	}
	began, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	callback := began.Query().Get("redirect_uri")
	back, err := b.walk(address, func(to *url.URL) bool { return strings.HasPrefix(to.String(), callback) })
	if err != nil {
		return nil, err
	}
	return client.Finish(t.Context(), flow, back.URL.Query())
}
