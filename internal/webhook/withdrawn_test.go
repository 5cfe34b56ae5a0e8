package webhook_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// statuses are those of all deliveries to a webhook, the oldest first.
func statuses(t *testing.T, p *platformtest.Platform, hook string) string {
	t.Helper()
	var all []string
	for _, d := range run[[]view](t, p, "deliveries", hook) {
		all = append([]string{d.Status}, all...)
	}
	return strings.Join(all, " ")
}

func TestSec462_NothingButItsEndIsSentAfterARevocation(t *testing.T) {
	for name, c := range map[string]struct {
		end      func(t *testing.T, p *platformtest.Platform, app *platformtest.App, m *loop.Member)
		types    string // that are sent after it
		statuses string
	}{
		"the consent": {func(t *testing.T, p *platformtest.Platform, app *platformtest.App, m *loop.Member) {
			if err := p.OAuth.RevokeGrant(t.Context(), grantOf(t, p, m, app).ID, byOperator, "a test"); err != nil {
				t.Fatal(err)
			}
		}, "identity.grant.revoked.v1", "withdrawn delivered"},
		"the member's account": {func(t *testing.T, p *platformtest.Platform, _ *platformtest.App, m *loop.Member) {
			if err := p.Suspend(t, m); err != nil {
				t.Fatal(err)
			}
		}, "", "withdrawn"},
		"the app": {func(t *testing.T, p *platformtest.Platform, app *platformtest.App, _ *loop.Member) {
			if err := p.Run(t, "client", "disable", string(app.ID)); err != nil {
				t.Fatal(err)
			}
		}, "", "withdrawn"},
	} {
		t.Run(name, func(t *testing.T) {
			p, at := newPlatform(t), newReceiver(t)
			app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
			hook := add(t, p, app, at, grantEvents)
			app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t)
			c.end(t, p, app, ada)
			deliver(t, p)
			deliver(t, p) // what waited for the one before
			if types := at.types(t); types != c.types {
				t.Errorf("%q is sent", types)
			}
			if got := statuses(t, p, hook.ID); got != c.statuses {
				t.Errorf("the deliveries are %s, want %s", got, c.statuses)
			}
			run[[]view](t, p, "replay", hook.ID, "--status", "withdrawn")
			deliver(t, p)
			if types := at.types(t); types != "" {
				t.Errorf("replayed, %s is sent", types)
			}
		})
	}
}

// An attempt that is being made while its consent ends is cut off before the revocation
// is answered: nothing of it is sent after that.
func TestSec462_ARevocationCutsOffWhatIsBeingSent(t *testing.T) {
	p, at := newPlatform(t), newReceiver(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	hook := add(t, p, app, at, "identity.grant.created.v1")
	app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t)
	grant := grantOf(t, p, ada, app)
	cut := make(chan struct{})
	at.Config.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then does the server see that the connection is closed
		if err := p.OAuth.RevokeGrant(context.WithoutCancel(r.Context()), grant.ID, byOperator, "a test"); err != nil {
			t.Error(err)
		}
		<-r.Context().Done() // the connection is closed: the answer was not waited for
		close(cut)
	})
	deliver(t, p)
	<-cut
	if got := statuses(t, p, hook.ID); got != "withdrawn" {
		t.Errorf("the delivery is %s", got)
	}
}

func TestSec463_WhatAnotherAppOrWebhookHasIsOutOfReach(t *testing.T) {
	p, at := newPlatform(t), newReceiver(t)
	app, other := p.AddApp(t, nil), p.AddApp(t, nil)
	mine, theirs := add(t, p, app, at, grantEvents), add(t, p, other, at, grantEvents)
	sent := run[view](t, p, "test", theirs.ID)
	if err := p.Run(t, "webhook", "replay", mine.ID, "--delivery", sent.DeliveryID); err == nil {
		t.Error("another app's delivery is replayed")
	}
	if mine.Secret == theirs.Secret {
		t.Error("two webhooks share a secret")
	}
	run[map[string]any](t, p, "delete", theirs.ID)
	deliver(t, p)
	if types := at.types(t); types != "" {
		t.Errorf("a deleted webhook is sent %s", types)
	}
}

func TestSec464_AWebhookIsAPublicHTTPSAddress(t *testing.T) {
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	create := func(url, events string) error {
		return p.Run(t, "webhook", "create", "--client", string(app.ID), "--url", url, "--events", events)
	}
	for _, url := range []string{
		"http://app.example.com/hook", "https://127.0.0.1/hook", "https://localhost/hook", "https://[::1]/hook", "https://169.254.169.254/latest", "https://2130706433/",
		"https://0x7f.1/", "https://metadata.google.internal/", "https://user:pass@app.example.com/", "https://app.example.com/#a", "https://app.example.com:22/",
		"https://app.example.com/\r\nX-Evil: 1", "ftp://app.example.com/", "", platformtest.Identity + "/v1/oauth/token",
	} {
		if create(url, grantEvents) == nil {
			t.Errorf("%q is taken", url)
		}
	}
	for _, events := range []string{"identity.grant.unknown.v1", "identity.webhook.test.v1", "identity.grant.revoked.v1,identity.grant.revoked.v1", ","} {
		if create("https://app.example.com/hook", events) == nil {
			t.Errorf("the events %q are taken", events)
		}
	}
	for range loop.MaxWebhooks {
		if err := create("https://app.example.com/hook", grantEvents); err != nil {
			t.Fatal(err)
		}
	}
	if create("https://app.example.com/hook", grantEvents) == nil {
		t.Error("one more than an app can have is taken")
	}
}

// A webhook that answers with a redirect leads nowhere: it counts as failed.
func TestSec464_NoRedirectIsFollowed(t *testing.T) {
	p, at, inner := newPlatform(t), newReceiver(t), newReceiver(t)
	hook := add(t, p, p.AddApp(t, nil), at, grantEvents)
	at.Config.Handler = http.RedirectHandler(inner.URL, http.StatusTemporaryRedirect)
	run[view](t, p, "test", hook.ID)
	deliver(t, p)
	if len(inner.received()) != 0 {
		t.Error("the redirect is followed")
	}
	if got := run[[]view](t, p, "deliveries", hook.ID)[0]; got.Status != "pending" || got.Attempts != 1 || !strings.Contains(got.LastFailure, "307") {
		t.Errorf("the delivery is %+v", got)
	}
}

// Events of a member follow each other, and one member's hold up no other's.
func TestDelivery_FollowsTheOrderOfAMember(t *testing.T) {
	p, at := newPlatform(t), newReceiver(t)
	app := p.AddApp(t, nil)
	add(t, p, app, at, grantEvents)
	ada, ben := p.AddMember(t, "Ada"), p.AddMember(t, "Ben")
	at.answers(http.StatusServiceUnavailable)
	app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t)
	deliver(t, p)
	at.received()
	if err := p.OAuth.NarrowGrant(t.Context(), ada.ID, grantOf(t, p, ada, app).ID, loop.NewScopes(loop.ScopeOpenID), byOperator); err != nil {
		t.Fatal(err)
	}
	app.Redeem(app.Code(p.NewBrowser(t), ben)).Pair(t)
	at.answers(http.StatusOK)
	deliver(t, p)
	if came := at.received(); len(came) != 1 || came[0].event(t).UserID != string(ben.ID) {
		t.Errorf("while the first waits to be sent again, %v is sent", came)
	}
	p.World.Advance(time.Minute)
	deliver(t, p)
	deliver(t, p)
	if types := at.types(t); types != "identity.grant.created.v1 identity.grant.updated.v1" {
		t.Errorf("then %s is sent", types)
	}
}
