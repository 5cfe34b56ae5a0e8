package portal_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

// visits is how many pages a minute a developer may open.
const visits = 100

func TestPortal_PagesAreLimitedByDeveloper(t *testing.T) {
	t.Parallel()
	p := platformtest.NewLimited(t)
	ada, grace := developerOf(t, p, p.AddMember(t, "Ada")), developerOf(t, p, p.AddMember(t, "Grace"))
	for i := range visits {
		if r := ada.Get(developers + "/apps"); r.StatusCode != http.StatusOK || r.Header.Get("X-RateLimit-Limit") != "100" {
			t.Fatalf("number %d is answered %d, %v", i+1, r.StatusCode, r.Header)
		}
	}
	r := ada.Get(developers + "/docs/scopes")
	if r.StatusCode != http.StatusTooManyRequests || !strings.Contains(r.Text, "<h1>Too many requests</h1>") || r.Header.Get("Retry-After") == "" || r.Header.Get("X-RateLimit-Remaining") != "0" {
		t.Errorf("%d %v %s", r.StatusCode, r.Header, r.Text)
	}
	if r := ada.Post(developers+"/apps/new", newApp()); r.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a form is answered %d", r.StatusCode)
	}
	t.Run("the stylesheet of that page is not counted", func(t *testing.T) {
		style := regexp.MustCompile(`/[^"]+\.css`).FindString(r.Text)
		if r := ada.Get(developers + style); style == "" || r.StatusCode != http.StatusOK || r.Header.Get("X-RateLimit-Limit") != "" {
			t.Errorf("%s is answered %d", style, r.StatusCode)
		}
	})
	t.Run("another developer in the same network has their own", func(t *testing.T) {
		if r := grace.Get(developers + "/apps"); r.StatusCode != http.StatusOK || r.Header.Get("X-RateLimit-Remaining") != "99" {
			t.Errorf("%d %v", r.StatusCode, r.Header)
		}
	})
	t.Run("and so has whoever is not signed in", func(t *testing.T) {
		if r := p.NewBrowserAt(t, "203.0.113.9").Get(developers + "/docs"); r.StatusCode != http.StatusOK || r.Header.Get("X-RateLimit-Remaining") != "99" {
			t.Errorf("%d %v", r.StatusCode, r.Header)
		}
	})
}

func TestPortal_WhoIsNotSignedInIsLimitedByNetwork(t *testing.T) {
	t.Parallel()
	p := platformtest.NewLimited(t)
	b, ada := p.NewBrowser(t), developerOf(t, p, p.AddMember(t, "Ada"))
	for range visits {
		p.NewBrowser(t).Get(developers + "/docs")
	}
	forged, err := http.NewRequestWithContext(t.Context(), http.MethodGet, developers+"/docs", nil)
	if err != nil {
		t.Fatal(err)
	}
	forged.AddCookie(&http.Cookie{Name: "__Host-loop_portal", Value: "somebody"})
	if r := b.Do(forged); r.StatusCode != http.StatusTooManyRequests {
		t.Errorf("with a cookie that was made up it is answered %d", r.StatusCode)
	}
	if r := ada.Get(developers + "/apps"); r.StatusCode != http.StatusOK {
		t.Errorf("who signed in before is answered %d", r.StatusCode)
	}
}
