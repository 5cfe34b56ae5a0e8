package webhook_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// request is what came to a receiver.
type request struct {
	header http.Header
	body   []byte
}

// event reads the body.
func (r request) event(t *testing.T) (e struct {
	ID, Type   string
	UserID     string `json:"user_id"`
	ClientID   string `json:"client_id"`
	OccurredAt string `json:"occurred_at"`
	Data       map[string]any
},
) {
	t.Helper()
	if err := json.Unmarshal(r.body, &e); err != nil {
		t.Fatalf("%s: %v", r.body, err)
	}
	return e
}

// receiver is an app's address for webhooks.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	all    []request
	status int
	before func() // called with each request before it is answered; nil: nothing is
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{status: http.StatusOK}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		r.all = append(r.all, request{req.Header, body})
		status, before := r.status, r.before
		r.mu.Unlock()
		if before != nil {
			before()
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answers(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// received gives what came since it was asked last.
func (r *receiver) received() []request {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := slices.Clone(r.all)
	r.all = nil
	return all
}

// types are the types of the events that came since it was asked last, in order.
func (r *receiver) types(t *testing.T) string {
	t.Helper()
	var all []string
	for _, one := range r.received() {
		all = append(all, one.event(t).Type)
	}
	return strings.Join(all, " ")
}

// newPlatform starts a platform that may reach the receivers of the test.
func newPlatform(t *testing.T) *platformtest.Platform {
	t.Helper()
	return platformtest.NewWith(t, func(c *platform.Config) { c.FetchHosts = []string{"127.0.0.1"} })
}

// view is a webhook or a delivery as the commands give it.
type view struct {
	ID          string
	Secret      string
	Enabled     bool
	Disabled    string `json:"disabled_reason"`
	DeliveryID  string `json:"delivery_id"`
	Status      string
	Attempts    int
	LastFailure string `json:"last_failure"`
	Type        string `json:"event_type"`
}

// run runs a command of webhooks and reads its answer.
func run[T any](t *testing.T, p *platformtest.Platform, args ...string) (into T) {
	t.Helper()
	out, err := p.RunWith(t, "", append([]string{"webhook"}, append(args, "--json")...)...)
	if err != nil {
		t.Fatalf("loop webhook %v: %v", args, err)
	}
	if err := json.Unmarshal([]byte(out), &into); err != nil {
		t.Fatalf("loop webhook %v: %v in %s", args, err, out)
	}
	return into
}

// grantEvents are the events of consents.
const grantEvents = "identity.grant.created.v1,identity.grant.updated.v1,identity.grant.revoked.v1"

// add makes a webhook for an app at a receiver.
func add(t *testing.T, p *platformtest.Platform, app *platformtest.App, at *receiver, events string) view {
	t.Helper()
	return run[view](t, p, "create", "--client", string(app.ID), "--url", at.URL+"/hook", "--events", events)
}

func deliver(t *testing.T, p *platformtest.Platform) {
	t.Helper()
	if err := p.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// grantOf is the live grant of a member to an app.
func grantOf(t *testing.T, p *platformtest.Platform, m *loop.Member, app *platformtest.App) *loop.Grant {
	t.Helper()
	grant, err := p.OAuth.Ledger.LiveGrant(t.Context(), m.ID, app.ID)
	if err != nil || grant == nil {
		t.Fatalf("the grant: %v, %v", grant, err)
	}
	return grant
}
