package webhook_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
)

var byOperator = audit.Actor{Kind: audit.ByOperator, ID: "test"}

func TestWebhook_IsSentWhatBecomesOfAConsent(t *testing.T) {
	p, at, elsewhere := newPlatform(t), newReceiver(t), newReceiver(t)
	app, other := p.AddApp(t, nil), p.AddApp(t, nil)
	add(t, p, app, at, grantEvents)
	add(t, p, other, elsewhere, grantEvents)
	ada := p.AddMember(t, "Ada")
	app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t)
	grant := grantOf(t, p, ada, app)
	deliver(t, p)

	came := at.received()
	if len(came) != 1 {
		t.Fatalf("%d requests came", len(came))
	}
	e, header := came[0].event(t), came[0].header
	if e.Type != "identity.grant.created.v1" || e.UserID != string(ada.ID) || e.ClientID != string(app.ID) || e.Data["grant_id"] != string(grant.ID) || !loop.EventID(e.ID).Valid() {
		t.Errorf("the event is %s", came[0].body)
	}
	if occurred, err := time.Parse(time.RFC3339, e.OccurredAt); err != nil || !occurred.Equal(grant.CreatedAt) {
		t.Errorf("it occurred at %q (%v), and the grant was given at %v", e.OccurredAt, err, grant.CreatedAt)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json", "X-Loop-Event-Id": e.ID, "X-Loop-Event-Type": e.Type, "X-Loop-Delivery-Attempt": "1", "Webhook-Id": e.ID,
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for _, name := range []string{"Authorization", "Cookie"} {
		if header.Get(name) != "" {
			t.Errorf("it brings %s", name)
		}
	}
	if bytes.Contains(came[0].body, []byte(ada.Name)) || bytes.Contains(came[0].body, []byte(ada.Email)) {
		t.Errorf("the event names the member: %s", came[0].body)
	}

	if err := p.OAuth.NarrowGrant(t.Context(), ada.ID, grant.ID, loop.NewScopes(loop.ScopeOpenID), byOperator); err != nil {
		t.Fatal(err)
	}
	deliver(t, p)
	if came = at.received(); len(came) != 1 || came[0].event(t).Type != "identity.grant.updated.v1" || len(came[0].event(t).Data["scopes"].([]any)) != 1 {
		t.Errorf("a narrowed consent: %v", came)
	}
	if err := p.OAuth.RevokeGrant(t.Context(), grant.ID, byOperator, "a test"); err != nil {
		t.Fatal(err)
	}
	deliver(t, p)
	if came = at.received(); len(came) != 1 || came[0].event(t).Type != "identity.grant.revoked.v1" || len(came[0].event(t).Data["scopes"].([]any)) != 0 {
		t.Errorf("a consent that ended: %v", came)
	}
	if err := p.OAuth.RevokeGrant(t.Context(), grant.ID, byOperator, "again"); err != nil {
		t.Fatal(err)
	}
	deliver(t, p)
	if types := at.types(t) + elsewhere.types(t); types != "" {
		t.Errorf("what happened once, or to another app, is sent as %s", types)
	}
}

// Every way in which a grant ends is an event: the end that a member chose, a code or a
// refresh token that was used twice.
func TestWebhook_HearsOfEveryEndOfAConsent(t *testing.T) {
	p, at := newPlatform(t), newReceiver(t)
	app := p.AddApp(t, nil)
	add(t, p, app, at, "identity.grant.revoked.v1")
	for name, end := range map[string]func(ada *loop.Member){
		"a refresh token used twice": func(ada *loop.Member) {
			pair := app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t)
			app.Refresh(pair.Refresh)
			app.Refresh(pair.Refresh)
		},
		"the end that the member chose": func(ada *loop.Member) {
			app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t)
			if err := p.OAuth.SetGrantEnd(t.Context(), ada.ID, grantOf(t, p, ada, app).ID, loop.Terms()[0], byOperator); err != nil {
				t.Fatal(err)
			}
			p.World.Advance(400 * 24 * time.Hour)
			if err := p.OAuth.EndOver(t.Context(), p.World.Now()); err != nil {
				t.Fatal(err)
			}
		},
	} {
		end(p.AddMember(t, strings.ReplaceAll(name, " ", "")))
		deliver(t, p)
		if types := at.types(t); types != "identity.grant.revoked.v1" {
			t.Errorf("%s: %q is sent", name, types)
		}
	}
}

// A member who is erased: each app that they allowed hears of it, after the end of its
// access, and none that they had disconnected.
func TestWebhook_HearsOfAnErasure(t *testing.T) {
	p, at, elsewhere := newPlatform(t), newReceiver(t), newReceiver(t)
	app, other := p.AddApp(t, nil), p.AddApp(t, nil)
	ada := p.AddMember(t, "Ada")
	for _, one := range []struct {
		at *receiver
		of int
	}{{at, 0}, {elsewhere, 1}} {
		a := app
		if one.of == 1 {
			a = other
		}
		add(t, p, a, one.at, "identity.user.deleted.v1")
		a.Redeem(a.Code(p.NewBrowser(t), ada)).Pair(t)
	}
	if err := p.OAuth.RevokeGrant(t.Context(), grantOf(t, p, ada, other).ID, byOperator, "a test"); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Accounts.Leave(t.Context(), ada.ID); err != nil {
		t.Fatal(err)
	}
	deliver(t, p)
	if types := at.types(t); types != "" {
		t.Errorf("before they are erased, %s is sent", types)
	}
	p.World.Advance(member.TimeToComeBack)
	if err := p.EraseLeft(t.Context()); err != nil {
		t.Fatal(err)
	}
	deliver(t, p)
	if types := at.types(t); types != "identity.user.deleted.v1" {
		t.Errorf("%q is sent", types)
	}
	if types := elsewhere.types(t); types != "" {
		t.Errorf("an app that was disconnected is sent %s", types)
	}
}
