package storetest

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/webhook"
)

// keepsWebhooks: webhooks are part of their client, for whoever reads it next.
func keepsWebhooks(t *testing.T, f *fixture) {
	at := f.world.Now().Truncate(time.Microsecond)
	want := []loop.Webhook{{ID: loop.NewWebhookID(f.world), URL: "https://app.example.com/hook", Events: []loop.EventType{loop.GrantRevokedEvent}, Secret: 2, RotatedAt: at, Disabled: "a reason", CreatedAt: at, UpdatedAt: at}}
	must(t, f.store.ChangeClient(t.Context(), f.client.ID, registration.Terms{}, func(c *loop.Client) ([]loop.Revocation, []audit.Record, error) {
		c.Webhooks = want
		return nil, nil, nil
	}))
	got, err := f.store.Client(t.Context(), f.client.ID)
	must(t, err)
	if diff := cmp.Diff(want, got.Webhooks); diff != "" {
		t.Errorf("they differ (-written +read):\n%s", diff)
	}
}

// hook is where the deliveries of these tests go.
const hook loop.WebhookID = "whk_01HXY00000000000000000000A"

// hooked writes messages to a webhook, and claims those that may go.
func (f *fixture) hooked(t *testing.T, ids ...string) []outbox.Delivery {
	t.Helper()
	var written []outbox.Message
	for _, id := range ids {
		m := f.message(id, string(hook), "")
		m.Kind = webhook.Kind
		written = append(written, m)
	}
	f.put(t, written...)
	now := f.world.Now()
	claimed, err := f.store.ClaimDeliveries(t.Context(), outbox.Claim{Kind: webhook.Kind, Now: now, Until: now.Add(lease), AtMost: 10, PerDestination: 10})
	must(t, err)
	return claimed
}

// end settles a delivery after so many attempts.
func (f *fixture) end(t *testing.T, d outbox.Delivery, outcome outbox.Outcome, failingSince time.Time, failure string) {
	t.Helper()
	d.Attempts, d.SettledAt, d.Outcome, d.FailingSince, d.Failure = 3, f.world.Now(), outcome, failingSince, failure
	must(t, f.store.SettleDelivery(t.Context(), d, []audit.Record{f.record()}))
}

func listsDeliveries(t *testing.T, f *fixture) {
	claimed := f.hooked(t, "a", "b", "c")
	since := f.world.Now().Truncate(time.Microsecond)
	for _, d := range claimed {
		switch d.ID {
		case "a":
			f.end(t, d, outbox.Delivered, time.Time{}, "")
		case "b":
			f.end(t, d, outbox.GivenUp, since, "status 503")
		}
	}
	for name, c := range map[string]struct {
		of   webhook.Listing
		want string
	}{
		"all":              {webhook.Listing{Webhook: hook, Before: math.MaxInt64, AtMost: 10}, "a b c"},
		"those given up":   {webhook.Listing{Webhook: hook, Before: math.MaxInt64, AtMost: 10, Outcome: outbox.GivenUp}, "b"},
		"those on the way": {webhook.Listing{Webhook: hook, Before: math.MaxInt64, AtMost: 10, Waiting: true}, "c"},
		"the newest":       {webhook.Listing{Webhook: hook, Before: math.MaxInt64, AtMost: 1}, "c"},
		"another's":        {webhook.Listing{Webhook: "whk_01HXY00000000000000000000B", Before: math.MaxInt64, AtMost: 10}, ""},
	} {
		got, err := f.store.WebhookDeliveries(t.Context(), c.of)
		must(t, err)
		if ids(got) != c.want {
			t.Errorf("%s: listed are %s", name, ids(got))
		}
	}
	b, err := f.store.WebhookDelivery(t.Context(), "b")
	must(t, err)
	if b.Failure != "status 503" || !b.FailingSince.Equal(since) || b.Attempts != 3 || string(b.Payload) != "b" {
		t.Errorf("it is kept as %+v", b)
	}
	if page, err := f.store.WebhookDeliveries(t.Context(), webhook.Listing{Webhook: hook, Before: b.Number, AtMost: 10}); err != nil || ids(page) != "a" {
		t.Errorf("behind b are %s (%v)", ids(page), err)
	}
	if _, err := f.store.WebhookDelivery(t.Context(), "d"); !errors.Is(err, loop.ErrNotFound) {
		t.Errorf("one that is not there: %v", err)
	}
}

func resendsWebhooks(t *testing.T, f *fixture) {
	claimed := f.hooked(t, "a", "b")
	for _, d := range claimed {
		if d.ID == "a" {
			f.end(t, d, outbox.GivenUp, f.world.Now(), "status 503")
		}
	}
	at := f.world.Now().Add(time.Second)
	must(t, f.store.ResendWebhook(t.Context(), "a", at, f.record()))
	if err := f.store.ResendWebhook(t.Context(), "b", at, f.record()); loop.AsError(err).Code != loop.Conflict {
		t.Errorf("one that is being attempted: %v", err)
	}
	again, err := f.store.ClaimDeliveries(t.Context(), outbox.Claim{Kind: webhook.Kind, Now: at, Until: at.Add(lease), AtMost: 10, PerDestination: 10})
	must(t, err)
	if ids(again) != "a" || again[0].Attempts != 0 || !again[0].FailingSince.IsZero() {
		t.Errorf("claimed again are %+v", again)
	}
}

// tellsFailure: a webhook fails since its oldest failure behind its newest success.
func tellsFailure(t *testing.T, f *fixture) {
	since := func() time.Time {
		at, err := f.store.WebhookFailingSince(t.Context(), hook)
		must(t, err)
		return at
	}
	if at := since(); !at.IsZero() {
		t.Errorf("nothing was sent, and it fails since %v", at)
	}
	earlier, later := f.world.Now().Add(-2*time.Hour).Truncate(time.Microsecond), f.world.Now().Add(time.Hour).Truncate(time.Microsecond)
	for _, d := range f.hooked(t, "a", "b") {
		failed := earlier
		if d.ID == "b" {
			failed = later
		}
		f.end(t, d, outbox.GivenUp, failed, "")
	}
	if at := since(); !at.Equal(earlier) {
		t.Errorf("it fails since %v, not %v", at, earlier)
	}
	f.end(t, f.hooked(t, "c")[0], outbox.Delivered, time.Time{}, "")
	if at := since(); !at.Equal(later) {
		t.Errorf("after a success it fails since %v, not %v", at, later)
	}
}
