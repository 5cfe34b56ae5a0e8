package test

import (
	"bytes"
	"crypto/rand"
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

// visitor is somebody who reaches the platform without a browser: an app, or a
// person whose every request the test wants to hold. It keeps cookies and
// follows no redirect by itself.
type visitor struct {
	platform *platform
	http     *http.Client
}

func (p *platform) visitor(t *testing.T) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{platform: p, http: &http.Client{
		Transport:     p.transport(t),
		Jar:           jar,
		Timeout:       process.Patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// answer is a response whose body has been read.
type answer struct {
	*http.Response
	body []byte
}

func (v *visitor) do(t *testing.T, r *http.Request) answer {
	t.Helper()
	v.platform.secrets.sawURL(r.URL.String())
	response, err := v.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range response.Header.Values("Set-Cookie") {
		v.platform.secrets.sawSetCookie(line)
	}
	v.platform.secrets.sawURL(response.Header.Get("Location"))
	v.platform.secrets.sawJSON(body)
	if id := response.Header.Get("X-Request-Id"); id == "" && response.Request.URL.Port() != "5000" {
		t.Errorf("%s %s: the answer has no X-Request-Id", r.Method, r.URL.Path)
	}
	return answer{response, body}
}

func (v *visitor) get(t *testing.T, address string, header ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return v.do(t, r)
}

func (v *visitor) post(t *testing.T, address string, form url.Values) answer {
	t.Helper()
	v.platform.secrets.sawValues(form)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.do(t, r)
}

// location is where a redirect leads.
func (a answer) location(t *testing.T) *url.URL {
	t.Helper()
	to, err := a.Location()
	if err != nil {
		t.Fatalf("status %d without a redirect (%v):\n%s", a.StatusCode, err, process.Tail(string(a.body)))
	}
	return to
}

// press finds the form with the button and gives what pressing it sends, where.
func (a answer) press(t *testing.T, button string) (address string, values url.Values) {
	t.Helper()
	form, err := pagetest.Press(bytes.NewReader(a.body), button)
	if err != nil {
		t.Fatal(err)
	}
	if form == nil {
		t.Fatalf("status %d, and no button #%s:\n%s", a.StatusCode, button, process.Tail(string(a.body)))
	}
	to, err := a.Request.URL.Parse(form.Action)
	if err != nil {
		t.Fatal(err)
	}
	return to.String(), form.Values
}

// signInAndAnswer leads an authorization request through sign-in and consent, as
// far as it asks for them, and gives the address that it ends at: the app's. The
// member is that of dev.env, the choice the id of a button.
func (v *visitor) signInAndAnswer(t *testing.T, request url.Values, choice string) *url.URL {
	t.Helper()
	identity := v.platform.env["LOOP_IDENTITY_URL"]
	answered := v.get(t, identity+"/v1/oauth/authorize?"+request.Encode())
	for range 10 {
		switch {
		case answered.StatusCode == http.StatusSeeOther:
			to := answered.location(t)
			if !strings.HasPrefix(to.String(), identity) {
				return to
			}
			answered = v.get(t, to.String())
		case strings.Contains(string(answered.body), `id="sign-in"`):
			address, values := answered.press(t, "sign-in")
			values.Set("email", v.platform.env["LOOP_MEMBER_EMAIL"])
			values.Set("password", v.platform.env["LOOP_MEMBER_PASSWORD"])
			answered = v.post(t, address, values)
		default:
			address, values := answered.press(t, choice)
			answered = v.post(t, address, values)
		}
	}
	t.Fatal("sign-in and consent lead in a circle")
	return nil
}

// authorization is the request that the quickstart's app makes.
func (p *platform) authorization(verifier string) url.Values {
	p.secrets.saw("code verifier", verifier)
	return url.Values{
		"response_type":         {"code"},
		"client_id":             {p.env["LOOP_CLIENT_ID"]},
		"redirect_uri":          {p.env["LOOP_REDIRECT_URI"]},
		"scope":                 {"openid profile read:biomarkers"},
		"state":                 {rand.Text()},
		"code_challenge":        {pagetest.Challenge(verifier)},
		"code_challenge_method": {"S256"},
	}
}

// code gets a code for the member's full consent.
func (v *visitor) code(t *testing.T, verifier string) string {
	t.Helper()
	request := v.platform.authorization(verifier)
	ended := v.signInAndAnswer(t, request, "allow").Query()
	if ended.Get("state") != request.Get("state") || ended.Get("iss") != v.platform.env["LOOP_IDENTITY_URL"] {
		t.Errorf("the redirect says state %q and iss %q", ended.Get("state"), ended.Get("iss"))
	}
	if ended.Get("code") == "" {
		t.Fatalf("no code, but %s", ended.Encode())
	}
	return ended.Get("code")
}

// tokens is the answer of the token endpoint, or its error.
type tokens struct {
	Access      string `json:"access_token"`
	Refresh     string `json:"refresh_token"`
	ID          string `json:"id_token"`
	Type        string `json:"token_type"`
	Expires     int    `json:"expires_in"`
	Scope       string `json:"scope"`
	Error       string `json:"error"`
	Description string `json:"error_description"`
	ErrorURI    string `json:"error_uri"`
	status      int
}

// token asks the token endpoint as the app of dev.env, with client_secret_post.
func (v *visitor) token(t *testing.T, form url.Values) tokens {
	t.Helper()
	form.Set("client_id", v.platform.env["LOOP_CLIENT_ID"])
	form.Set("client_secret", v.platform.env["LOOP_CLIENT_SECRET"])
	answered := v.post(t, v.platform.env["LOOP_IDENTITY_URL"]+"/v1/oauth/token", form)
	var got tokens
	if err := json.Unmarshal(answered.body, &got); err != nil {
		t.Fatalf("status %d: %v: %s", answered.StatusCode, err, answered.body)
	}
	if answered.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("a token answer says Cache-Control: %q", answered.Header.Get("Cache-Control"))
	}
	got.status = answered.StatusCode
	return got
}

// redeem exchanges a code.
func (v *visitor) redeem(t *testing.T, code, verifier string) tokens {
	t.Helper()
	return v.token(t, url.Values{
		"grant_type": {"authorization_code"}, "code": {code},
		"redirect_uri": {v.platform.env["LOOP_REDIRECT_URI"]}, "code_verifier": {verifier},
	})
}

// refresh exchanges a refresh token.
func (v *visitor) refresh(t *testing.T, token string) tokens {
	t.Helper()
	return v.token(t, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

// biomarkers reads the member's lab results with an access token and gives the
// status and the results.
func (v *visitor) biomarkers(t *testing.T, accessToken string) (int, []biomarker) {
	t.Helper()
	answered := v.get(t, v.platform.env["LOOP_CLINICAL_URL"]+"/v1/biomarkers/me", "Authorization", "Bearer "+accessToken)
	return answered.StatusCode, parseBiomarkers(answered.body)
}

// biomarker is what the tests look at in a lab result.
type biomarker struct {
	ID      string      `json:"id"`
	Patient string      `json:"patient_id"`
	Code    string      `json:"biomarker_code"`
	Name    string      `json:"biomarker_name"`
	Value   json.Number `json:"value"`
	Unit    string      `json:"unit"`
}

// parseBiomarkers reads an answer of clinical; nothing where it is another's.
func parseBiomarkers(body []byte) []biomarker {
	var page struct {
		Biomarkers []biomarker `json:"biomarkers"`
	}
	if json.Unmarshal(body, &page) != nil {
		return nil
	}
	return page.Biomarkers
}
