package identity_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// revoke gives a token back as the app; RFC 7009 §2.2: the answer is 200 whatever
// becomes of it.
func revoke(t *testing.T, app *platformtest.App, token string, more ...string) {
	t.Helper()
	r := app.Send("/v1/oauth/revoke", with(url.Values{"token": {token}}, more...), nil)
	if r.StatusCode != http.StatusOK || r.Text != "{}" || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("revoking: %d %s", r.StatusCode, r.Text)
	}
}

func TestSec059_NobodyEndsWhatIsAnothers(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, other, ada := p.AddApp(t, nil), p.AddApp(t, nil), p.AddMember(t, "Ada")
	public, otherPublic := p.AddApp(t, func(c *loop.Client) { c.Type = loop.Public }), p.AddApp(t, func(c *loop.Client) { c.Type = loop.Public })
	b := p.NewBrowser(t)
	tokens := app.Redeem(app.Code(b, ada)).Pair(t)
	publics := public.Redeem(public.Code(b, ada)).Pair(t)
	code := app.Code(b, ada)
	records := p.Count(t, "identity", "audit_records")
	for _, stranger := range []*platformtest.App{other, otherPublic} {
		for _, token := range []string{tokens.Access, tokens.Refresh, publics.Access, publics.Refresh} {
			for _, hint := range []string{"", "access_token", "refresh_token", "bogus"} {
				revoke(t, stranger, token, "token_type_hint", hint)
			}
		}
	}
	for _, none := range []string{"lph_at_AAAA", "lph_rt_AAAA", flip(tokens.Access), flip(tokens.Refresh), code, tokens.ID, app.Secret, "x"} {
		revoke(t, app, none)
	}
	for name, form := range map[string]url.Values{
		"nobody":         {"token": {tokens.Refresh}},
		"without secret": {"token": {tokens.Refresh}, "client_id": {string(app.ID)}},
		"another secret": {"token": {tokens.Refresh}, "client_id": {string(app.ID)}, "client_secret": {other.Secret}},
	} {
		t.Run("a stranger: "+name, func(t *testing.T) {
			refused(t, p.Post(t, platformtest.Identity+"/v1/oauth/revoke", form, nil), http.StatusUnauthorized, "invalid_client")
		})
	}
	if now := p.Count(t, "identity", "audit_records"); now != records {
		t.Errorf("attempts without effect left %d records", now-records)
	}
	for name, access := range map[string]string{"the app's": tokens.Access, "the public app's": publics.Access} {
		if r := p.UserInfo(t, access); r.StatusCode != http.StatusOK {
			t.Errorf("%s access token ended: %d", name, r.StatusCode)
		}
	}
	public.Refresh(publics.Refresh).Pair(t)
	app.Refresh(tokens.Refresh).Pair(t)
	app.Redeem(code).Pair(t)
}

func TestSec059_WhatIsGivenBackHasEndedWhenItIsAnswered(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	t.Run("an access token alone", func(t *testing.T) {
		tokens := app.Redeem(app.Code(b, ada)).Pair(t)
		second := app.Refresh(tokens.Refresh).Pair(t)
		revoke(t, app, tokens.Access, "token_type_hint", "refresh_token")
		if r := p.Biomarkers(t, tokens.Access); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("it works: %d", r.StatusCode)
		}
		if r := p.Biomarkers(t, second.Access); r.StatusCode != http.StatusOK {
			t.Errorf("another ended: %d", r.StatusCode)
		}
		app.Refresh(second.Refresh).Pair(t)
	})
	t.Run("a refresh token, and all of its authorization", func(t *testing.T) {
		tokens := app.Redeem(app.Code(b, ada)).Pair(t)
		second := app.Refresh(tokens.Refresh).Pair(t)
		revoke(t, app, second.Refresh)
		revoke(t, app, second.Refresh) // again: 200 as before
		p.Restart(t)
		for _, access := range []string{tokens.Access, second.Access} {
			if r := p.Biomarkers(t, access); r.StatusCode != http.StatusUnauthorized {
				t.Errorf("it works: %d", r.StatusCode)
			}
		}
		refused(t, app.Refresh(second.Refresh), http.StatusBadRequest, "invalid_grant")
	})
	t.Run("the consent stays", func(t *testing.T) {
		if b.Authorize(app.Request()).Redirected(t).Query().Get("code") == "" {
			t.Error("it ended")
		}
	})
	t.Run("of a code whose tokens were given back, a second use finds nothing to end", func(t *testing.T) {
		code := app.Code(b, ada)
		tokens := app.Redeem(code).Pair(t)
		revoke(t, app, tokens.Refresh)
		refused(t, app.Redeem(code), http.StatusBadRequest, "invalid_grant")
	})
	t.Run("by a disabled client", func(t *testing.T) {
		off := p.AddApp(t, nil)
		tokens := off.Redeem(off.Code(b, ada)).Pair(t)
		if _, err := p.Clients.SetEnabled(t.Context(), off.ID, operator, false); err != nil {
			t.Fatal(err)
		}
		refused(t, off.Send("/v1/oauth/revoke", url.Values{"token": {tokens.Refresh}}, nil), http.StatusUnauthorized, "invalid_client")
	})
}

func TestSec059_AStoreThatFailsIsNoSuccess(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	tokens := app.Redeem(app.Code(p.NewBrowser(t), p.AddMember(t, "Ada"))).Pair(t)
	app.Send("/v1/oauth/revoke", url.Values{"token": {"x"}}, nil) // the client is known from memory
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{tokens.Access, tokens.Refresh} {
		refused(t, app.Send("/v1/oauth/revoke", url.Values{"token": {token}}, nil), http.StatusServiceUnavailable, "temporarily_unavailable")
	}
	p.Open(t)
	if r := p.Biomarkers(t, tokens.Access); r.StatusCode != http.StatusOK {
		t.Errorf("what was not revoked has ended: %d", r.StatusCode)
	}
	app.Refresh(tokens.Refresh).Pair(t)
}
