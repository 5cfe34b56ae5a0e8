package registration_test

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// withLogo is a platform that may fetch logos from a developer's server.
func withLogo(t *testing.T) (p *platformtest.Platform, address string) {
	t.Helper()
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(file.Bytes())
	}))
	t.Cleanup(server.Close)
	return platformtest.NewWith(t, func(c *platform.Config) { c.FetchHosts = []string{"127.0.0.1"} }), server.URL + "/logo.png"
}

// A developer could have their server answer only once an operator has looked.
func TestSec304_ALogoThatComesAfterTheVerificationEndsIt(t *testing.T) {
	t.Parallel()
	p, address := withLogo(t)
	app := verifiedApp(t, p)
	set := func(by audit.Actor) *loop.Client {
		c, err := p.Clients.Update(t.Context(), app.ID, by, func(c *loop.Client) { c.Logo.URI = address })
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	fetched := func() *loop.Client {
		if err := p.Deliver(t.Context()); err != nil {
			t.Fatal(err)
		}
		c, err := p.Clients.Store.Client(t.Context(), app.ID)
		if err != nil || c.Logo.Picture == "" {
			t.Fatalf("the logo is %+v, %v", c.Logo, err)
		}
		return c
	}
	changed := set(developer)
	if _, err := p.Clients.Approve(t.Context(), app.ID, changed.Review(), operator); err != nil {
		t.Fatal(err)
	}
	came := fetched()
	if came.Verified || came.Review() == "" {
		t.Errorf("an app whose logo nobody saw is verified: %v", came.Verified)
	}
	if seen, err := p.Clients.Approve(t.Context(), app.ID, came.Review(), operator); err != nil || !seen.Verified {
		t.Errorf("with its logo it can't be verified: %v", err)
	}
}

func TestLogo_OfAnOperatorEndsNoVerification(t *testing.T) {
	t.Parallel()
	p, address := withLogo(t)
	app := verifiedApp(t, p)
	if _, err := p.Clients.Update(t.Context(), app.ID, operator, func(c *loop.Client) { c.Logo.URI = address }); err != nil {
		t.Fatal(err)
	}
	if err := p.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c, err := p.Clients.Store.Client(t.Context(), app.ID); err != nil || !c.Verified || c.Logo.Picture == "" {
		t.Errorf("the app is %+v, %v", c, err)
	}
}

func TestLogo_OfAnAddressThatIsNotAskedIsRefused(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := verifiedApp(t, p)
	for _, address := range []string{"http://app.example.com/logo.png", "https://127.0.0.1/logo.png", "data:image/png;base64,AAAA", "https://user@app.example.com/", "javascript:alert(1)"} {
		_, err := p.Clients.Update(t.Context(), app.ID, developer, func(c *loop.Client) { c.Logo.URI = address })
		if fault := loop.AsError(err); err == nil || fault.Code != loop.ValidationError || fault.Field != "logo_uri" {
			t.Errorf("%s: %v", address, err)
		}
	}
}
