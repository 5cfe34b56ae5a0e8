package identity_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

// authorizations is how many requests a minute one network may begin.
const authorizations = 30

// authorizeFrom sends an authorization request without parameters from an
// address, in the way that alter makes of it.
func authorizeFrom(t *testing.T, p *platformtest.Platform, address string, alter func(*http.Request)) *platformtest.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, platformtest.Identity+"/v1/oauth/authorize", nil)
	if err != nil {
		t.Fatal(err)
	}
	if alter != nil {
		alter(r)
	}
	return p.NewBrowserAt(t, address).Do(r)
}

func TestSec123_OneNetworkIsOneBucket(t *testing.T) {
	t.Parallel()
	const here = "203.0.113.9"
	for name, c := range map[string]struct {
		from  func(i int) string
		alter func(r *http.Request, i int)
	}{
		"one address":               {},
		"a forged X-Forwarded-For":  {alter: func(r *http.Request, i int) { r.Header.Set("X-Forwarded-For", fmt.Sprintf("192.0.2.%d", i)) }},
		"a forged Forwarded":        {alter: func(r *http.Request, i int) { r.Header.Set("Forwarded", fmt.Sprintf("for=192.0.2.%d", i)) }},
		"a forged X-Real-IP":        {alter: func(r *http.Request, i int) { r.Header.Set("X-Real-IP", fmt.Sprintf("192.0.2.%d", i)) }},
		"a /64 of IPv6":             {from: func(i int) string { return fmt.Sprintf("2001:db8:1:2:%x::%x", i, i) }},
		"IPv4 in both ways":         {from: func(i int) string { return []string{here, "::ffff:" + here}[i%2] }},
		"other versions of HTTP":    {alter: func(r *http.Request, i int) { r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/2.0", 1+i%2, 0 }},
		"GET, HEAD and POST":        {alter: func(r *http.Request, i int) { r.Method = []string{"GET", "HEAD", "POST"}[i%3] }},
		"another query each":        {alter: func(r *http.Request, i int) { r.URL.RawQuery = fmt.Sprintf("client_id=client_%d", i) }},
		"escapes in the path":       {alter: func(r *http.Request, i int) { r.URL.RawPath = strings.Replace(r.URL.Path, "o", "%6f", i%3) }},
		"another sender's language": {alter: func(r *http.Request, i int) { r.Header.Set("User-Agent", fmt.Sprint(i)) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := platformtest.NewLimited(t)
			from := func(i int) string {
				if c.from == nil {
					return here
				}
				return c.from(i)
			}
			for i := range authorizations + 5 {
				r := authorizeFrom(t, p, from(i), func(r *http.Request) {
					if c.alter != nil {
						c.alter(r, i)
					}
				})
				if refused := r.StatusCode == http.StatusTooManyRequests; refused != (i >= authorizations) {
					t.Fatalf("number %d is answered %d", i+1, r.StatusCode)
				}
			}
			if r := authorizeFrom(t, p, "198.51.100.7", nil); r.StatusCode == http.StatusTooManyRequests {
				t.Error("another network is shut out")
			}
		})
	}
}

func TestSec123_VariantsOfThePathLeadNowhere(t *testing.T) {
	t.Parallel()
	p := platformtest.NewLimited(t)
	for _, path := range []string{"/V1/oauth/authorize", "/v1/OAuth/authorize", "//v1/oauth/authorize", "/v1/oauth/authorize/", "/v1/./oauth/authorize", "/v1/x/../oauth/authorize"} {
		r := authorizeFrom(t, p, "203.0.113.9", func(r *http.Request) { r.URL = &url.URL{Scheme: r.URL.Scheme, Host: r.URL.Host, Path: path} })
		if r.StatusCode != http.StatusNotFound {
			t.Errorf("%s is answered %d", path, r.StatusCode)
		}
	}
}

func TestAuthorize_OneTooManyIsAPageThatSaysHowLong(t *testing.T) {
	t.Parallel()
	p := platformtest.NewLimited(t)
	b := p.NewBrowser(t)
	app := p.AddApp(t, nil)
	for i := range authorizations {
		r := b.Authorize(app.Request())
		if left := fmt.Sprint(authorizations - 1 - i); r.StatusCode != http.StatusSeeOther || r.Header.Get("X-RateLimit-Remaining") != left {
			t.Fatalf("number %d is answered %d, %v", i+1, r.StatusCode, r.Header)
		}
	}
	r := b.Authorize(app.Request())
	if r.StatusCode != http.StatusTooManyRequests || !strings.Contains(r.Text, "<h1>Too many requests</h1>") || !strings.Contains(r.Text, "Wait 65 seconds") {
		t.Errorf("%d %s", r.StatusCode, r.Text)
	}
	for header, want := range map[string]string{"X-RateLimit-Limit": "30", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "65", "Retry-After": "65", "Location": ""} {
		if got := r.Header.Get(header); got != want {
			t.Errorf("%s is %q, want %q", header, got, want)
		}
	}
	t.Run("after that long it goes on", func(t *testing.T) {
		p.World.Advance(65 * time.Second)
		if r := b.Authorize(app.Request()); r.StatusCode != http.StatusSeeOther {
			t.Errorf("%d %s", r.StatusCode, r.Text)
		}
	})
}

func TestAuthorize_AProxyInTheConfigurationSaysWhoAsks(t *testing.T) {
	t.Parallel()
	const proxy = "10.1.0.1"
	p := platformtest.NewLimited(t, netip.MustParsePrefix("10.1.0.0/16"))
	ask := func(forwardedFor string) int {
		return authorizeFrom(t, p, proxy, func(r *http.Request) { r.Header.Set("X-Forwarded-For", forwardedFor) }).StatusCode
	}
	for i := range authorizations + 1 { // what stands on the left, the client wrote itself
		if refused := ask(fmt.Sprintf("192.0.2.%d, 203.0.113.9", i)) == http.StatusTooManyRequests; refused != (i == authorizations) {
			t.Fatalf("number %d: refused is %t", i+1, refused)
		}
	}
	if ask("203.0.113.10") == http.StatusTooManyRequests {
		t.Error("another client of the same proxy is shut out")
	}
	if ask("192.0.2.1") == http.StatusTooManyRequests {
		t.Error("somebody is shut out whom another named")
	}
}

func TestUserInfo_IsLimitedByApp(t *testing.T) {
	t.Parallel()
	p := platformtest.NewLimited(t)
	app := p.AddApp(t, nil)
	pair := app.Redeem(app.Code(p.NewBrowser(t), p.AddMember(t, "Ada"))).Pair(t)
	r := p.UserInfo(t, pair.Access)
	if r.StatusCode != http.StatusOK || r.Header.Get("X-RateLimit-Limit") != "1000" || r.Header.Get("X-RateLimit-Remaining") != "999" {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	if r := p.UserInfo(t, pair.Access+"x"); r.StatusCode != http.StatusUnauthorized || r.Header.Get("X-RateLimit-Limit") != "" {
		t.Errorf("a token that is not good is answered %d, %v", r.StatusCode, r.Header)
	}
}

func TestSec070_ForgedAddressesBuyNoTriesOfAPassword(t *testing.T) {
	t.Parallel()
	p := platformtest.NewLimited(t)
	ada := p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	page := b.Get(platformtest.Identity + "/signin")
	var last *platformtest.Response
	for i := range 20 {
		form := url.Values{"csrf": {page.Field("csrf")}, "email": {string(ada.Email)}, "password": {"wrong horse battery staple"}}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, platformtest.Identity+"/signin", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set("X-Forwarded-For", fmt.Sprintf("192.0.2.%d", i))
		last = b.Do(r)
	}
	if last.StatusCode != http.StatusTooManyRequests || last.Header.Get("Retry-After") == "" {
		t.Errorf("the twentieth try is answered %d", last.StatusCode)
	}
}
