package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
	"github.com/loop-health/loop/internal/webhook"
)

// signedBy reports by which forms a request bears the signature of a secret, as their
// definitions have them.
func signedBy(t *testing.T, r request, secret string) (hexForm, standardForm bool) {
	t.Helper()
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(r.body)
	hexForm = hex.EncodeToString(mac.Sum(nil)) == r.header.Get("X-Loop-Signature")

	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) != 32 {
		t.Fatalf("the secret holds %d bytes: %v", len(key), err)
	}
	mac = hmac.New(sha256.New, key)
	mac.Write([]byte(r.header.Get("webhook-id") + "." + r.header.Get("webhook-timestamp") + "."))
	mac.Write(r.body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for one := range strings.FieldsSeq(r.header.Get("webhook-signature")) {
		standardForm = standardForm || one == want
	}
	return hexForm, standardForm
}

// test sends a test event and gives the request that came.
func test(t *testing.T, p *platformtest.Platform, hook string, at *receiver) request {
	t.Helper()
	run[view](t, p, "test", hook)
	deliver(t, p)
	came := at.received()
	if len(came) != 1 {
		t.Fatalf("%d requests came", len(came))
	}
	return came[0]
}

func TestSec460_EachAttemptIsSignedOverItsBodyAndTime(t *testing.T) {
	p, at := newPlatform(t), newReceiver(t)
	app := p.AddApp(t, nil)
	hook := add(t, p, app, at, grantEvents)
	came := test(t, p, hook.ID, at)
	if e := came.event(t); e.Type != "identity.webhook.test.v1" || e.UserID != "" || e.ClientID != string(app.ID) {
		t.Errorf("the test event is %s", came.body)
	}
	if asHex, standard := signedBy(t, came, hook.Secret); !asHex || !standard {
		t.Errorf("signed in hex: %v, as Standard Webhooks: %v", asHex, standard)
	}
	if stamp := came.header.Get("webhook-timestamp"); stamp != strconv.FormatInt(p.World.Now().Unix(), 10) {
		t.Errorf("the timestamp is %s", stamp)
	}
	came.body = append(came.body, ' ')
	if asHex, standard := signedBy(t, came, hook.Secret); asHex || standard {
		t.Error("a body that was altered bears the signature")
	}
}

func TestSec461_ARotationOverlapsAndThenEndsTheOldSecret(t *testing.T) {
	p, at := newPlatform(t), newReceiver(t)
	app := p.AddApp(t, nil)
	first := add(t, p, app, at, grantEvents)
	second := run[view](t, p, "rotate-secret", first.ID)
	if second.Secret == first.Secret || second.Secret == "" {
		t.Fatal("the new secret is the old one, or none")
	}
	expect := func(when string, wants ...bool) {
		t.Helper()
		came := test(t, p, first.ID, at)
		hexOld, standardOld := signedBy(t, came, first.Secret)
		hexNew, standardNew := signedBy(t, came, second.Secret)
		for i, got := range []bool{hexOld, standardOld, hexNew, standardNew} {
			if got != wants[i] {
				t.Errorf("%s: signed by old in hex and standard, new in hex and standard: %v, want %v", when, []bool{hexOld, standardOld, hexNew, standardNew}, wants)
				break
			}
		}
	}
	expect("in the overlap", false, true, true, true)
	p.World.Advance(loop.SecretOverlap)
	expect("after it", false, false, true, true)
	p.Restart(t)
	expect("after a restart", false, false, true, true)
	if shown := run[view](t, p, "show", first.ID); shown.Secret != "" {
		t.Error("a secret is shown again")
	}
}

func TestDelivery_IsAttemptedForThreeDaysAndThenDead(t *testing.T) {
	p, at := newPlatform(t), newReceiver(t)
	app := p.AddApp(t, nil)
	hook := add(t, p, app, at, grantEvents)
	run[view](t, p, "test", hook.ID)
	at.answers(http.StatusServiceUnavailable)
	began, attempts, waited := p.World.Now(), 0, time.Minute
	var ids, bodies string
	for ; ; attempts++ {
		deliver(t, p)
		came := at.received()
		if len(came) != 1 {
			break
		}
		if got := came[0].header.Get("X-Loop-Delivery-Attempt"); got != strconv.Itoa(attempts+1) {
			t.Errorf("attempt %d says that it is %s", attempts+1, got)
		}
		if ids != "" && (ids != came[0].header.Get("Webhook-Id") || bodies != string(came[0].body)) {
			t.Error("an attempt differs from the one before in id or body")
		}
		ids, bodies = came[0].header.Get("Webhook-Id"), string(came[0].body)
		p.World.Advance(waited)
		waited = min(2*waited, 8*time.Hour)
	}
	if took := p.World.Now().Sub(began); attempts < 12 || took < 3*24*time.Hour || took > 4*24*time.Hour {
		t.Errorf("%d attempts are made within %v", attempts, took)
	}
	dead := run[[]view](t, p, "deliveries", hook.ID, "--status", "dead")
	if len(dead) != 1 || dead[0].Attempts != attempts || !strings.Contains(dead[0].LastFailure, "503") {
		t.Errorf("the dead are %+v after %d attempts", dead, attempts)
	}

	at.answers(http.StatusNoContent)
	run[[]view](t, p, "replay", hook.ID)
	deliver(t, p)
	if came := at.received(); len(came) != 1 || came[0].header.Get("Webhook-Id") != ids || came[0].header.Get("X-Loop-Delivery-Attempt") != "1" {
		t.Errorf("replayed: %v", came)
	}
	if done := run[[]view](t, p, "deliveries", hook.ID); len(done) != 1 || done[0].Status != string(webhook.Delivered) || done[0].LastFailure != "" {
		t.Errorf("after it: %+v", done)
	}
	run[[]view](t, p, "replay", hook.ID, "--delivery", dead[0].DeliveryID)
	deliver(t, p)
	if len(at.received()) != 1 {
		t.Error("what was delivered can't be replayed by its id")
	}
}

func TestDelivery_ReplaysByStatusAndTime(t *testing.T) {
	p, at := newPlatform(t), newReceiver(t)
	hook := add(t, p, p.AddApp(t, nil), at, grantEvents)
	var ids []string
	for range 3 {
		ids = append(ids, run[view](t, p, "test", hook.ID).DeliveryID)
		deliver(t, p)
		p.World.Advance(time.Hour)
	}
	at.received()
	from := p.World.Now().Add(-2 * time.Hour).Format(time.RFC3339)
	to := p.World.Now().Add(-time.Hour).Format(time.RFC3339)
	if got := run[[]view](t, p, "replay", hook.ID, "--status", "delivered", "--since", from, "--until", to); len(got) != 1 || got[0].DeliveryID != ids[1] {
		t.Errorf("replayed are %+v", got)
	}
	if got := run[[]view](t, p, "replay", hook.ID); len(got) != 0 {
		t.Errorf("where nothing is dead, %+v is replayed", got)
	}
	if err := p.Run(t, "webhook", "replay", hook.ID, "--delivery", "del_01HXY00000000000000000000A"); err == nil {
		t.Error("a delivery that is not there is replayed")
	}
}

func TestDelivery_410DisablesTheWebhook(t *testing.T) {
	p, at := newPlatform(t), newReceiver(t)
	ada, dev := p.AddMember(t, "Ada"), p.AddMember(t, "Dev")
	app := p.AddApp(t, func(c *loop.Client) { c.Owner = dev.ID })
	hook := add(t, p, app, at, grantEvents)
	at.answers(http.StatusGone)
	app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t)
	deliver(t, p)
	if came := at.received(); len(came) != 1 {
		t.Fatalf("%d came", len(came))
	}
	if h := run[view](t, p, "show", hook.ID); h.Enabled || !strings.Contains(h.Disabled, "410") {
		t.Errorf("it is %+v", h)
	}
	if err := p.OAuth.RevokeGrant(t.Context(), grantOf(t, p, ada, app).ID, byOperator, "a test"); err != nil {
		t.Fatal(err)
	}
	p.World.Advance(time.Hour)
	deliver(t, p)
	if types := at.types(t); types != "" {
		t.Errorf("a disabled webhook is sent %s", types)
	}
	at.answers(http.StatusOK)
	if h := run[view](t, p, "update", hook.ID, "--enable"); !h.Enabled {
		t.Error("it can't be enabled again")
	}
	run[[]view](t, p, "replay", hook.ID)
	deliver(t, p)
	if types := at.types(t); types != "" { // the consent has ended since
		t.Errorf("after it, %s is sent", types)
	}
}

func TestDelivery_FiveDaysOfFailureDisableTheWebhook(t *testing.T) {
	p, at := newPlatform(t), newReceiver(t)
	app := p.AddApp(t, nil)
	hook := add(t, p, app, at, grantEvents)
	works := func() bool { return run[view](t, p, "show", hook.ID).Enabled }
	at.answers(http.StatusInternalServerError)
	for day := range 5 {
		app.Code(p.NewBrowser(t), p.AddMember(t, "Member"+strconv.Itoa(day)))
		deliver(t, p)
		if !works() {
			t.Fatalf("it is disabled on day %d", day)
		}
		p.World.Advance(24 * time.Hour)
	}
	deliver(t, p)
	if works() {
		t.Error("it is not disabled after five days")
	}
	at.answers(http.StatusOK)
	at.received()
	run[view](t, p, "update", hook.ID, "--enable")
	run[view](t, p, "test", hook.ID)
	deliver(t, p) // with what waited to be sent again
	p.World.Advance(6 * 24 * time.Hour)
	at.answers(http.StatusInternalServerError)
	app.Code(p.NewBrowser(t), p.AddMember(t, "Later"))
	deliver(t, p)
	if !works() {
		t.Error("one failure after a success disables it")
	}
}
