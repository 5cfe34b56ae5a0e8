package identity_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// receiver is an app's address for back-channel logout.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	tokens []string
	status int
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{status: http.StatusOK}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.tokens = append(r.tokens, request.PostFormValue("logout_token"))
		w.WriteHeader(r.status)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answers(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// received gives the logout tokens that came since it was asked last.
func (r *receiver) received() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	tokens := slices.Clone(r.tokens)
	r.tokens = nil
	return tokens
}

// withReceiver starts a platform that may reach the receivers of the test.
func withReceiver(t *testing.T) *platformtest.Platform {
	t.Helper()
	return platformtest.NewWith(t, func(c *platform.Config) { c.FetchHosts = []string{"127.0.0.1"} })
}

func signOut(t *testing.T, b *platformtest.Browser) {
	t.Helper()
	page := b.Get(platformtest.Identity + "/signout")
	b.Post(platformtest.Identity+"/signout", url.Values{"csrf": {page.Field("csrf")}}).Redirected(t)
}

func deliver(t *testing.T, p *platformtest.Platform) {
	t.Helper()
	if err := p.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestBackchannelLogout(t *testing.T) {
	p := withReceiver(t)
	notified, unnotified := newReceiver(t), newReceiver(t)
	listening := func(at *receiver) *platformtest.App {
		return p.AddApp(t, func(c *loop.Client) { c.Protocol.BackchannelLogoutURI = at.URL + "/logout" })
	}
	app, other, silent := listening(notified), listening(unnotified), p.AddApp(t, nil)
	ada, ben := p.AddMember(t, "Ada"), p.AddMember(t, "Ben")
	b := p.NewBrowser(t)
	idToken := app.Redeem(app.Code(b, ada)).Pair(t).ID
	silent.Redeem(silent.Code(b, ada)).Pair(t)
	other.Redeem(other.Code(p.NewBrowser(t), ben)).Pair(t)
	p.World.Advance(time.Minute)

	t.Run("§2.4 the apps of the session hear of its end, and nobody else", func(t *testing.T) {
		signOut(t, b)
		deliver(t, p)
		tokens := notified.received()
		if len(tokens) != 1 || len(unnotified.received()) != 0 {
			t.Fatalf("%d logout tokens came", len(tokens))
		}
		typ, said := readJWT(t, p, tokens[0])
		events, _ := said["events"].(map[string]any)
		if _, ok := events["http://schemas.openid.net/event/backchannel-logout"]; !ok || typ != "logout+jwt" {
			t.Errorf("typ %s, events %v", typ, events)
		}
		if said["iss"] != platformtest.Identity || said["aud"] != string(app.ID) || said["sub"] != string(ada.ID) || said["sid"] != claims(t, idToken)["sid"] {
			t.Errorf("it says %v", said)
		}
		if said["nonce"] != nil || said["jti"] == nil || said["exp"].(float64) <= said["iat"].(float64) {
			t.Errorf("it says %v", said)
		}
		if _, err := p.OAuth.CheckLogout(t.Context(), url.Values{"id_token_hint": {tokens[0]}}); err == nil {
			t.Error("Sec050 a logout token is taken for an ID token")
		}
	})
	t.Run("once for each client and session", func(t *testing.T) {
		deliver(t, p)
		if again := notified.received(); len(again) != 0 {
			t.Errorf("%d more came", len(again))
		}
	})
	t.Run("what fails is sent again, later and later", func(t *testing.T) {
		b := p.NewBrowser(t)
		app.Redeem(app.Code(b, ada)).Pair(t)
		notified.answers(http.StatusServiceUnavailable)
		signOut(t, b)
		for i, wait := range []time.Duration{0, 10 * time.Second, time.Minute} {
			p.World.Advance(wait)
			deliver(t, p)
			if got := len(notified.received()); got != 1 {
				t.Fatalf("attempt %d: %d came", i+1, got)
			}
			deliver(t, p)
			if len(notified.received()) != 0 {
				t.Fatalf("attempt %d is repeated at once", i+1)
			}
		}
		p.Restart(t)
		notified.answers(http.StatusNoContent)
		p.World.Advance(5 * time.Minute)
		deliver(t, p)
		deliver(t, p)
		if got := len(notified.received()); got != 1 {
			t.Errorf("after a restart %d came", got)
		}
	})
	t.Run("what can't be delivered in a day is given up, on record", func(t *testing.T) {
		b := p.NewBrowser(t)
		app.Redeem(app.Code(b, ada)).Pair(t)
		notified.answers(http.StatusInternalServerError)
		signOut(t, b)
		for range 20 {
			deliver(t, p)
			p.World.Advance(12 * time.Hour)
		}
		if attempts := len(notified.received()); attempts != 8 {
			t.Errorf("there were %d attempts", attempts)
		}
		record, err := p.RunWith(t, "", "audit", "tail", "-n", "1000")
		if err != nil || strings.Count(record, "logout.undelivered") != 1 || strings.Count(record, "logout.delivered") != 2 {
			t.Errorf("%v: the record says %s", err, record)
		}
	})
	t.Run("a suspended member's sessions end too", func(t *testing.T) {
		notified.answers(http.StatusOK)
		app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t)
		if err := p.Suspend(t, ada); err != nil {
			t.Fatal(err)
		}
		deliver(t, p)
		if got := len(notified.received()); got != 1 {
			t.Errorf("%d came", got)
		}
	})
	t.Run("Sec066 another member in the same browser ends the first one's session", func(t *testing.T) {
		eve, dan := p.AddMember(t, "Eve"), p.AddMember(t, "Dan")
		b := p.NewBrowser(t)
		app.Redeem(app.Code(b, eve)).Pair(t)
		request := silent.Request()
		request.Set("prompt", "login")
		p.World.Advance(time.Second)
		b.SignIn(b.Follow(b.Authorize(request)), dan)
		deliver(t, p)
		tokens := notified.received()
		if len(tokens) != 1 || claims(t, tokens[0])["sub"] != string(eve.ID) {
			t.Errorf("%d came", len(tokens))
		}
	})
	t.Run("signing in again as the same member goes on under the same sid", func(t *testing.T) {
		fay := p.AddMember(t, "Fay")
		b := p.NewBrowser(t)
		first := app.Redeem(app.Code(b, fay)).Pair(t)
		request := app.Request()
		request.Set("prompt", "login")
		p.World.Advance(time.Second)
		to := b.SignIn(b.Follow(b.Authorize(request)), fay).Redirected(t)
		second := app.Redeem(to.Query().Get("code")).Pair(t)
		if claims(t, first.ID)["sid"] != claims(t, second.ID)["sid"] {
			t.Error("the session got another name, and its end would not be sent to who knows the old one")
		}
		deliver(t, p)
		if got := notified.received(); len(got) != 0 {
			t.Errorf("%d came while the session goes on", len(got))
		}
	})
}

func TestSec108_OnlyPublicLogoutAddressesAreRegistered(t *testing.T) {
	p := platformtest.New(t)
	for _, address := range []string{"http://127.0.0.1:9/x", "https://10.0.0.1/x", "https://localhost/x", "file:///etc/passwd", platformtest.Identity + "/v1/oauth/token"} {
		err := p.Run(t, "client", "create", "--name", "Labs", "--redirect-uri", platformtest.Callback, "--backchannel-logout-uri", address)
		if err == nil || !strings.HasPrefix(err.Error(), "loop: ") {
			t.Errorf("%s is registered: %v", address, err)
		}
	}
}
