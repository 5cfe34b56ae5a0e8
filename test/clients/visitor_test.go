package clients

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/pagetest"
	"github.com/loop-health/loop/test/process"
)

// leftOut is the scope that the member leaves out at the consent page.
const leftOut = "read:biomarkers"

// visitor is the member with what stands for a browser, where an app needs no script: it
// keeps cookies and follows each redirect.
type visitor struct {
	platform *platform
	address  string // the app's
	http     *http.Client
}

func (p *platform) visitor(t *testing.T, address string) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{platform: p, address: address, http: &http.Client{
		Jar: jar, Timeout: process.Patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// page is an answer whose body has been read.
type page struct {
	*http.Response
	body []byte
}

func (v *visitor) do(t *testing.T, method, address string, form url.Values) page {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := v.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return page{response, body}
}

func (v *visitor) signIn(t *testing.T) string {
	t.Helper()
	at := v.do(t, http.MethodGet, v.address+"/login", nil)
	for range 20 {
		next, pressed := v.next(t, at)
		if !pressed {
			return v.fault(at)
		}
		at = next
	}
	t.Fatal("sign-in leads in a circle")
	return ""
}

// fault is what a page shows where sign-in has not ended well.
func (v *visitor) fault(at page) string {
	if at.StatusCode == http.StatusOK && strings.HasPrefix(at.Request.URL.String(), v.address) {
		return ""
	}
	return cmp.Or(at.said(), at.Status)
}

// next does what a member does at a page; false where there is nothing to do.
func (v *visitor) next(t *testing.T, at page) (page, bool) {
	t.Helper()
	if to, err := at.Location(); err == nil {
		return v.do(t, http.MethodGet, to.String(), nil), true
	}
	for _, button := range []string{"sign-in", "allow", "continue", "loop"} { // an app's own button is called loop
		form, err := pagetest.Press(bytes.NewReader(at.body), button)
		if err != nil {
			t.Fatal(err)
		}
		if form == nil {
			continue
		}
		to, err := at.Request.URL.Parse(form.Action)
		if err != nil {
			t.Fatal(err)
		}
		return v.do(t, form.Method, to.String(), v.filled(form.Values, button)), true
	}
	return page{}, false
}

// filled is what the member sends with a form of the platform's.
func (v *visitor) filled(values url.Values, button string) url.Values {
	switch button {
	case "sign-in":
		values.Set("email", v.platform.env["LOOP_MEMBER_EMAIL"])
		values.Set("password", v.platform.env["LOOP_MEMBER_PASSWORD"])
	case "allow":
		var kept []string
		for _, scope := range values["scope"] {
			if scope != leftOut {
				kept = append(kept, scope)
			}
		}
		values["scope"] = kept
	}
	return values
}

func (v *visitor) ask(t *testing.T, method, path string) (got answer, has bool, fault string) {
	t.Helper()
	at := v.do(t, method, v.address+path, nil)
	switch at.StatusCode {
	case http.StatusNotImplemented, http.StatusNotFound, http.StatusMethodNotAllowed:
		return got, false, "" // a framework's own answer, too
	}
	if at.StatusCode != http.StatusOK {
		return got, true, at.said()
	}
	if err := json.Unmarshal(at.body, &got); err != nil {
		return got, true, at.said()
	}
	return got, true, ""
}

// said is what a page shows, on one line.
func (p page) said() string { return strings.Join(strings.Fields(visible(p.body)), " ") }
