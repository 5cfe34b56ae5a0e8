package identity_test

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// gallery is a developer's server with a picture.
type gallery struct {
	*httptest.Server
	asked  atomic.Int32
	kind   atomic.Pointer[string]
	answer atomic.Pointer[[]byte] // nil: 503
}

func newGallery(t *testing.T) *gallery {
	t.Helper()
	g := &gallery{}
	g.shows("image/png", pixels(t, 300, 150))
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		g.asked.Add(1)
		answer := g.answer.Load()
		if answer == nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", *g.kind.Load())
		_, _ = w.Write(*answer)
	}))
	t.Cleanup(g.Close)
	return g
}

func (g *gallery) shows(kind string, file []byte) {
	g.kind.Store(&kind)
	g.answer.Store(&file)
}

func pixels(t *testing.T, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// shownLogo is the logo on a page; empty: there is none, and the initial is.
func shownLogo(t *testing.T, page string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, `<img class="logo" src="`)
	if !found {
		if !strings.Contains(page, `class="initial"`) {
			t.Errorf("there is neither logo nor initial: %s", page)
		}
		return ""
	}
	path, _, _ := strings.Cut(rest, `"`)
	return path
}

func TestLogo_IsFetchedOnceAndShownAsOurs(t *testing.T) {
	t.Parallel()
	p, g := withReceiver(t), newGallery(t)
	app := p.AddApp(t, func(c *loop.Client) { c.Logo.URI = g.URL + "/logo" })
	ada := p.AddMember(t, "Ada")
	b := p.SignedIn(t, ada)
	consent := func() string { return b.Follow(b.Authorize(with(app.Request(), "prompt", "consent"))).Text }
	if path := shownLogo(t, consent()); path != "" {
		t.Errorf("before it is fetched, %s is shown", path)
	}
	deliver(t, p)
	path := shownLogo(t, consent())
	if !strings.HasPrefix(path, "/logos/"+string(app.ID)+"/") {
		t.Fatalf("the logo is at %q", path)
	}
	r := p.NewBrowser(t).Get(platformtest.Identity + path)
	config, format, err := image.DecodeConfig(strings.NewReader(r.Text))
	if err != nil || format != "png" || config.Width != 256 || config.Height != 128 || r.Header.Get("Content-Type") != "image/png" || !strings.Contains(r.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("it is a %s of %d × %d, %v, %v", format, config.Width, config.Height, r.Header, err)
	}
	if r.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Error("a browser may take the picture for something else")
	}
	for _, wrong := range []string{strings.Replace(path, ".png", ".svg", 1), path[:len(path)-5] + ".png", "/logos/client_other" + path[strings.LastIndex(path, "/"):]} {
		if r := p.NewBrowser(t).Get(platformtest.Identity + wrong); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s is answered %d", wrong, r.StatusCode)
		}
	}
	stranger := p.NewBrowser(t)
	if on := shownLogo(t, stranger.Follow(stranger.Authorize(app.Request())).Text); on != path {
		t.Errorf("on the sign-in page, the logo is %q", on)
	}
	for range 2 {
		p.World.Advance(time.Hour)
		deliver(t, p)
		if err := p.Run(t, "client", "update", string(app.ID), "--name", "Evening Labs"); err != nil {
			t.Fatal(err)
		}
	}
	if asked := g.asked.Load(); asked != 1 {
		t.Errorf("it was fetched %d times", asked)
	}
	if err := p.Run(t, "client", "update", string(app.ID), "--logo-uri", g.URL+"/other"); err != nil {
		t.Fatal(err)
	}
	if path := shownLogo(t, consent()); path != "" {
		t.Errorf("with another address, the logo from before is shown: %s", path)
	}
	g.shows("image/png", pixels(t, 10, 10))
	deliver(t, p)
	if next := shownLogo(t, consent()); next == "" || next == path || g.asked.Load() != 2 {
		t.Errorf("then the logo is %q, after %d fetches", next, g.asked.Load())
	}
}

func TestLogo_ThatCannotBeShownLeavesTheInitialAndSaysWhy(t *testing.T) {
	t.Parallel()
	p, g := withReceiver(t), newGallery(t)
	for name, c := range map[string]struct {
		kind  string
		file  []byte
		fault string
	}{
		"SVG":       {"image/svg+xml", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), "Content-Type"},
		"disguised": {"image/png", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), "no PNG"},
		"too large": {"image/png", bytes.Repeat([]byte("x"), 1<<20+1), "longer than 1024 KiB"},
	} {
		g.shows(c.kind, c.file)
		app := p.AddApp(t, func(a *loop.Client) { a.Logo.URI = g.URL + "/logo" })
		deliver(t, p)
		b := p.SignedIn(t, p.AddMember(t, strings.ReplaceAll(name, " ", "")))
		if path := shownLogo(t, b.Follow(b.Authorize(app.Request())).Text); path != "" {
			t.Errorf("%s: %s is shown", name, path)
		}
		said, err := p.RunWith(t, "", "client", "show", string(app.ID))
		if err != nil || !strings.Contains(said, c.fault) {
			t.Errorf("%s: its developer reads %s, %v", name, said, err)
		}
	}
}

func TestLogo_IsAskedForAgainWhereItsServerIsAway(t *testing.T) {
	t.Parallel()
	p, g := withReceiver(t), newGallery(t)
	picture := *g.answer.Load()
	g.answer.Store(nil)
	app := p.AddApp(t, func(c *loop.Client) { c.Logo.URI = g.URL + "/logo" })
	deliver(t, p)
	g.answer.Store(&picture)
	p.World.Advance(time.Minute)
	deliver(t, p)
	said, err := p.RunWith(t, "", "client", "show", string(app.ID))
	if err != nil || !strings.Contains(said, "members are shown it") || g.asked.Load() != 2 {
		t.Errorf("after %d tries: %s, %v", g.asked.Load(), said, err)
	}
}
