package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

func TestHost_RFC9110_7_2_TheDefaultPortMayBeThereOrNot(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		own, sent string
		served    bool
	}{
		{"https://id.platform.test", "id.platform.test", true},
		{"https://id.platform.test", "ID.platform.test:443", true},
		{"https://id.platform.test", "id.platform.test:80", false},
		{"https://id.platform.test", "id.platform.test:8443", false},
		{"https://id.platform.test", "id.platform.test:", false},
		{"https://id.platform.test", "evil.example:443", false},
		{"https://id.platform.test:8443", "id.platform.test:8443", true},
		{"https://id.platform.test:8443", "id.platform.test", false},
		{"https://id.platform.test:8443", "id.platform.test:443", false},
		{"http://localhost", "localhost:80", true},
		{"http://localhost", "localhost:443", false},
	} {
		own, err := url.Parse(c.own)
		if err != nil {
			t.Fatal(err)
		}
		site, _ := newTestSite(own.Host)
		site.PublicURL = own
		site.API("GET /", func(w http.ResponseWriter, _ *http.Request) error { return WriteJSON(w, http.StatusOK, "here") })
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = c.sent
		for how, handler := range map[string]http.Handler{"alone": site.Handler(), "beside others": ByHost(map[string]http.Handler{own.Host: site.Handler()})} {
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if (w.Code == http.StatusOK) != c.served {
				t.Errorf("%s, %s, Host: %s: status %d", c.own, how, c.sent, w.Code)
			}
		}
	}
}
