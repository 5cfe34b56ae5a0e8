package web

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestSec197_AMisdirectedRequestGetsTheHeadersOfEveryAnswer(t *testing.T) {
	t.Parallel()
	site, _ := newTestSite("platform.test")
	site.API("GET /", func(w http.ResponseWriter, _ *http.Request) error { return WriteJSON(w, http.StatusOK, "here") })
	hosts := ByHost(map[string]http.Handler{"platform.test": site.Handler()})
	answer := func(host string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		hosts.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://"+host+"/", http.NoBody))
		return w
	}
	here, misdirected := answer("platform.test"), answer("another.test")
	if misdirected.Code != http.StatusMisdirectedRequest {
		t.Fatalf("it is answered %d", misdirected.Code)
	}
	for _, name := range []string{"Content-Security-Policy", "X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy", "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Permissions-Policy"} {
		if want := here.Header().Get(name); want == "" || misdirected.Header().Get(name) != want {
			t.Errorf("%s is %q, and here %q", name, misdirected.Header().Get(name), want)
		}
	}
}
