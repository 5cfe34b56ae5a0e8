package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
)

func TestAccessToken(t *testing.T) {
	for name, test := range map[string]struct {
		header []string
		query  string
		token  string
		code   loop.Code
	}{
		"RFC 6750 §2.1 the header":                 {header: []string{"Bearer lph_at_abc-DEF_1.~+/=="}, token: "lph_at_abc-DEF_1.~+/=="},
		"RFC 9110 §11.1 the scheme in lower case":  {header: []string{"bearer abc"}, token: "abc"},
		"the scheme in upper case":                 {header: []string{"BEARER abc"}, token: "abc"},
		"RFC 6750 §3.1 no header: unauthenticated": {code: loop.Unauthenticated},
		"an empty header: unauthenticated":         {header: []string{""}, code: loop.Unauthenticated},
		"another scheme: unauthenticated":          {header: []string{"Basic YTpi"}, code: loop.Unauthenticated},
		"the token alone: unauthenticated":         {header: []string{"lph_at_abc"}, code: loop.Unauthenticated},
		"Sec098 two headers":                       {header: []string{"Bearer abc", "Bearer abc"}, code: loop.InvalidRequest},
		"Sec098 two headers, one of them Basic":    {header: []string{"Basic YTpi", "Bearer abc"}, code: loop.InvalidRequest},
		"Sec098 two spaces":                        {header: []string{"Bearer  abc"}, code: loop.InvalidRequest},
		"a tab for the space":                      {header: []string{"Bearer\tabc"}, code: loop.Unauthenticated},
		"nothing behind the scheme":                {header: []string{"Bearer"}, code: loop.InvalidRequest},
		"only padding":                             {header: []string{"Bearer =="}, code: loop.InvalidRequest},
		"padding inside":                           {header: []string{"Bearer a=b"}, code: loop.InvalidRequest},
		"two tokens":                               {header: []string{"Bearer abc, Bearer def"}, code: loop.InvalidRequest},
		"a token in quotes":                        {header: []string{`Bearer "abc"`}, code: loop.InvalidRequest},
		"a byte that is not ASCII":                 {header: []string{"Bearer äbc"}, code: loop.InvalidRequest},
		"a token of 64 KiB":                        {header: []string{"Bearer " + strings.Repeat("a", 64<<10)}, code: loop.InvalidRequest},
		"Sec098 in the address":                    {query: "access_token=abc", code: loop.InvalidRequest},
		"Sec098 in the address, escaped":           {query: "%61ccess_token=abc", code: loop.InvalidRequest},
		"Sec098 in the address and the header":     {header: []string{"Bearer abc"}, query: "access_token=abc", code: loop.InvalidRequest},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/v1/biomarkers/me?"+test.query, http.NoBody)
			r.Header["Authorization"] = test.header
			_, token, err := accessToken(r)
			if test.code == "" {
				if err != nil || token != test.token {
					t.Fatalf("the token is %q, %v", token, err)
				}
				return
			}
			if e := loop.AsError(err); err == nil || e.Code != test.code || strings.Contains(e.Description, "abc") {
				t.Errorf("it is %q, %v; want %s", token, err, test.code)
			}
		})
	}
}

func TestSec098_CookieIsNoToken(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r.AddCookie(&http.Cookie{Name: "access_token", Value: "abc"})
	if _, _, err := accessToken(r); loop.AsError(err).Code != loop.Unauthenticated {
		t.Errorf("it is %v", err)
	}
}

// FuzzAccessToken: a token that is read stands in the header as it is, and can
// be read again.
func FuzzAccessToken(f *testing.F) {
	for _, seed := range []string{"Bearer abc", "bearer  abc", "Bearer", "Basic YTpi", "Bearer a=b", "Bearer abc\x00"} {
		f.Add(seed, "")
	}
	f.Add("", "access_token=abc")
	f.Fuzz(func(t *testing.T, header, query string) {
		r := &http.Request{URL: &url.URL{RawQuery: query}, Header: http.Header{"Authorization": {header}}}
		scheme, token, err := accessToken(r)
		if err != nil {
			if token != "" {
				t.Fatalf("%q gives %q and %v", header, token, err)
			}
			return
		}
		if !strings.HasSuffix(header, " "+token) || header != scheme+" "+token || token == "" {
			t.Fatalf("%q gives %q", header, token)
		}
	})
}
