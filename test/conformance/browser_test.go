package conformance

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/pagetest"
	"github.com/loop-health/loop/test/process"
)

// browser is somebody's browser: it keeps cookies, and follows redirects and
// sends forms under the test's eyes.
type browser struct{ http *http.Client }

func (s *server) browser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{&http.Client{
		Transport: s.transport(t), Jar: jar, Timeout: process.Patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// shown is an answer that a browser got, read to its end.
type shown struct {
	*http.Response
	body string
}

func fetch(t *testing.T, client *http.Client, method, address string, header http.Header, body string) shown {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		r.Header = header
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return shown{response, string(text)}
}

func (b *browser) get(t *testing.T, address string) shown {
	t.Helper()
	return fetch(t, b.http, http.MethodGet, address, http.Header{"Accept": {"text/html"}}, "")
}

// submit sends a form of a page of the platform. Its pages name no referrer, so
// that the origin is null.
func (b *browser) submit(t *testing.T, from shown, form *pagetest.Form) shown {
	t.Helper()
	to, err := from.Request.URL.Parse(form.Action)
	if err != nil {
		t.Fatal(err)
	}
	site := "cross-site"
	if to.Host == from.Request.URL.Host {
		site = "same-origin"
	}
	return fetch(t, b.http, form.Method, to.String(), http.Header{
		"Accept": {"text/html"}, "Origin": {"null"}, "Sec-Fetch-Site": {site}, "Content-Type": {"application/x-www-form-urlencoded"},
	}, form.Values.Encode())
}

// journey is how an authorization request went.
type journey struct {
	request *request
	pressed []string // the ids of the buttons, in order
	last    shown
	answer  *answer // what reached the app; nil: the journey ended on a page
}

// person says what somebody does who is asked. Whoever is nobody presses nothing:
// the request has to be answered in silence.
type person struct {
	*member
	choice string // on the consent page: allow or deny
}

func allowing(m *member) person { return person{m, "allow"} }

// authorize sends an authorization request and has the person go on from there.
func (b *browser) authorize(t *testing.T, r *request, who person) *journey {
	t.Helper()
	return b.goOn(t, r, who, b.get(t, r.address()))
}

// silently sends an authorization request that nobody is to be asked about.
func (b *browser) silently(t *testing.T, r *request) *journey {
	t.Helper()
	return b.authorize(t, r, person{})
}

// goOn follows redirects and presses buttons, from a page to where it ends.
func (b *browser) goOn(t *testing.T, r *request, who person, now shown) *journey {
	t.Helper()
	j := &journey{request: r}
	for range 15 {
		if now.Request.URL.Host == appHost {
			j.last, j.answer = now, received(t, now)
			return j
		}
		if to, err := now.Location(); err == nil {
			if now.StatusCode != http.StatusSeeOther || to.Fragment != "" {
				t.Errorf("status %d leads to %s: want 303, and no fragment", now.StatusCode, to)
			}
			now = b.get(t, to.String())
			continue
		}
		button, form := nextForm(t, now, who)
		if form == nil {
			j.last = now
			return j
		}
		j.pressed = append(j.pressed, button)
		now = b.submit(t, now, form)
	}
	t.Fatalf("the journey goes in a circle: %v\n%s", j.pressed, process.Tail(now.body))
	return nil
}

// nextForm finds what the person fills in and presses on a page; nil where there
// is nothing for them.
func nextForm(t *testing.T, now shown, who person) (string, *pagetest.Form) {
	t.Helper()
	buttons := []string{"continue"} // of a form that script would send
	if who.member != nil {
		buttons = []string{"sign-in", who.choice, "continue-as", "continue"}
	}
	for _, button := range buttons {
		form, err := pagetest.Press(strings.NewReader(now.body), button)
		if err != nil {
			t.Fatal(err)
		}
		if form == nil {
			continue
		}
		if button == "sign-in" {
			form.Values.Set("email", who.Email)
			form.Values.Set("password", who.Password)
		}
		return button, form
	}
	return "", nil
}

func received(t *testing.T, now shown) *answer {
	t.Helper()
	var got answer
	if err := json.Unmarshal([]byte(now.body), &got); err != nil {
		t.Fatalf("the app was called, but not as the receiver understands: %v: %s", err, now.body)
	}
	return &got
}

// asked reports whether the button had to be pressed on the way.
func (j *journey) asked(button string) bool { return slices.Contains(j.pressed, button) }

// response gives the parameters of the answer, however it arrived; the other way
// must be empty, and who answered must be said (RFC 9207 §2.4).
func (j *journey) response(t *testing.T) url.Values {
	t.Helper()
	if j.answer == nil {
		t.Fatalf("no answer reached the app, but status %d after %v:\n%s", j.last.StatusCode, j.pressed, process.Tail(j.last.body))
	}
	method, values, other := http.MethodGet, j.answer.Query, j.answer.Form
	if j.request.params.Get("response_mode") == "form_post" {
		method, values, other = http.MethodPost, j.answer.Form, j.answer.Query
	}
	if j.answer.Method != method || len(other) > 0 {
		t.Errorf("the answer came by %s, with %v and %v: want %s", j.answer.Method, j.answer.Query, j.answer.Form, method)
	}
	for name, want := range map[string]string{"iss": issuer, "state": j.request.params.Get("state")} {
		if got := values.Get(name); got != want {
			t.Errorf("the answer's %s is %q, want %q", name, got, want)
		}
	}
	for name, list := range values {
		if len(list) != 1 || list[0] == "" {
			t.Errorf("the answer has %s %q", name, list)
		}
	}
	return values
}

// code gives the code of a successful answer.
func (j *journey) code(t *testing.T) string {
	t.Helper()
	values := j.response(t)
	if values.Get("code") == "" || values.Has("error") {
		t.Fatalf("no code, but %v", values)
	}
	return values.Get("code")
}

// refused holds the answer to be one of these errors, and to carry nothing that
// an authorization error does not have (RFC 6749 §4.1.2.1).
func (j *journey) refused(t *testing.T, codes ...string) {
	t.Helper()
	values := j.response(t)
	if !slices.Contains(codes, values.Get("error")) {
		t.Errorf("the error is %q, want one of %v", values.Get("error"), codes)
	}
	for name := range values {
		if !slices.Contains([]string{"error", "error_description", "error_uri", "state", "iss"}, name) {
			t.Errorf("an authorization error carries %s", name)
		}
	}
	if strings.ContainsFunc(values.Get("error_description"), unspeakable) {
		t.Errorf("the description has characters that RFC 6749 §4.1.2.1 does not: %q", values.Get("error_description"))
	}
}

// unspeakable reports whether a description may not hold the character: all but
// %x20-21, %x23-5B and %x5D-7E.
func unspeakable(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' }

// errorPage holds the journey to end on a page that explains, away from the app.
func (j *journey) errorPage(t *testing.T) {
	t.Helper()
	if j.answer != nil {
		t.Fatalf("the app got an answer: %+v", j.answer)
	}
	if kind := j.last.Header.Get("Content-Type"); j.last.StatusCode != http.StatusBadRequest || !strings.HasPrefix(kind, "text/html") {
		t.Errorf("status %d with %s, want a page of status 400:\n%s", j.last.StatusCode, kind, process.Tail(j.last.body))
	}
}
