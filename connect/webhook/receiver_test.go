package webhook_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loop-health/loop/connect"
	"github.com/loop-health/loop/connect/webhook"
)

var now = time.Date(2036, 3, 3, 8, 15, 0, 0, time.UTC)

func newSecret() connect.Secret {
	var key [32]byte
	_, _ = rand.Read(key[:])
	return connect.Secret("whsec_" + base64.StdEncoding.EncodeToString(key[:]))
}

// signature is that of Standard Webhooks.
func signature(secret connect.Secret, id string, at time.Time, body string) string {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(string(secret), "whsec_"))
	mac := hmac.New(sha256.New, key)
	_, _ = fmt.Fprintf(mac, "%s.%d.%s", id, at.Unix(), body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

const (
	id   = "evt_01HXY00000000000000000000A"
	body = `{"id":"` + id + `","type":"identity.grant.revoked.v1","user_id":"user_1","client_id":"client_1","occurred_at":"2036-03-03T08:14:00Z","data":{"grant_id":"grant_1","scopes":[],"expires_at":null,"reason":"r"}}`
)

func headers(id string, at time.Time, signatures ...string) http.Header {
	return http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {fmt.Sprint(at.Unix())}, "Webhook-Signature": {strings.Join(signatures, " ")}}
}

func newReceiver(t *testing.T, secrets ...connect.Secret) *webhook.Receiver {
	t.Helper()
	r, err := webhook.New(webhook.Config{Secrets: secrets, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestVerify_BelievesWhatASecretSignedLately(t *testing.T) {
	t.Parallel()
	secret, next, other := newSecret(), newSecret(), newSecret()
	good := signature(secret, id, now, body)
	for name, c := range map[string]struct {
		header http.Header
		body   string
		want   error
	}{
		"signed":                       {headers(id, now, good), body, nil},
		"by the next secret":           {headers(id, now, signature(next, id, now, body)), body, nil},
		"by two, one of them ours":     {headers(id, now, signature(other, id, now, body), good), body, nil},
		"five minutes ago":             {headers(id, now.Add(-5*time.Minute), signature(secret, id, now.Add(-5*time.Minute), body)), body, nil},
		"longer ago":                   {headers(id, now.Add(-301*time.Second), signature(secret, id, now.Add(-301*time.Second), body)), body, webhook.ErrTimestamp},
		"in the future":                {headers(id, now.Add(301*time.Second), signature(secret, id, now.Add(301*time.Second), body)), body, webhook.ErrTimestamp},
		"at another time":              {headers(id, now.Add(time.Second), good), body, webhook.ErrSignature},
		"by another secret":            {headers(id, now, signature(other, id, now, body)), body, webhook.ErrSignature},
		"another body":                 {headers(id, now, good), body + " ", webhook.ErrSignature},
		"another id":                   {headers("evt_2", now, good), body, webhook.ErrSignature},
		"unsigned":                     {headers(id, now), body, webhook.ErrSignature},
		"another version":              {headers(id, now, "v2"+strings.TrimPrefix(good, "v1")), body, webhook.ErrSignature},
		"no Base64":                    {headers(id, now, "v1,?"), body, webhook.ErrSignature},
		"no header":                    {http.Header{}, body, webhook.ErrSignature},
		"an id that moves the dot":     {headers(id+".1", now, signature(secret, id+".1", now, body)), body, webhook.ErrSignature},
		"a body with another event id": {headers("evt_2", now, signature(secret, "evt_2", now, body)), body, errOther},
		"no JSON":                      {headers(id, now, signature(secret, id, now, "{")), "{", errOther},
	} {
		e, err := newReceiver(t, secret, next).Verify(c.header, []byte(c.body))
		switch {
		case c.want == nil && (err != nil || e.ID != id || e.UserID != "user_1"):
			t.Errorf("%s: %+v, %v", name, e, err)
		case errors.Is(c.want, errOther) && err == nil, c.want != nil && !errors.Is(c.want, errOther) && !errors.Is(err, c.want):
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

var errOther = errors.New("any error")

func TestNew_NeedsASecretThatIsOne(t *testing.T) {
	t.Parallel()
	for _, secrets := range [][]connect.Secret{nil, {""}, {"secret_x"}, {"whsec_"}, {"whsec_c2hvcnQ="}, {"whsec_?"}, {newSecret(), "whsec_"}} {
		if _, err := webhook.New(webhook.Config{Secrets: secrets}); err == nil {
			t.Errorf("%d secrets are taken", len(secrets))
		}
	}
}

func TestHandler_HandlesAnEventOnceAndAgainWhereItFailed(t *testing.T) {
	t.Parallel()
	secret := newSecret()
	var handled int
	fails := errors.New("not now")
	handler := newReceiver(t, secret).Handler(func(_ context.Context, e webhook.Event) error {
		handled++
		if g, err := e.Grant(); err != nil || g.ID != "grant_1" || g.Reason != "r" || len(g.Scopes) != 0 || g.ExpiresAt != nil {
			t.Errorf("the grant is %+v (%v)", g, err)
		}
		return fails
	})
	send := func(method string, header http.Header, text string) int {
		r := httptest.NewRequestWithContext(t.Context(), method, "/", bytes.NewReader([]byte(text)))
		r.Header = header
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code
	}
	good := headers(id, now, signature(secret, id, now, body))
	if got := send(http.MethodPost, good, body); got != http.StatusInternalServerError || handled != 1 {
		t.Errorf("an event that is not handled: %d, handled %d times", got, handled)
	}
	fails = nil
	for range 2 {
		if got := send(http.MethodPost, good, body); got != http.StatusNoContent || handled != 2 {
			t.Errorf("an event that comes again: %d, handled %d times", got, handled)
		}
	}
	for name, c := range map[string]struct {
		method string
		header http.Header
		text   string
		status int
	}{
		"another method": {http.MethodGet, good, body, http.StatusMethodNotAllowed},
		"unsigned":       {http.MethodPost, http.Header{}, body, http.StatusBadRequest},
		"too large":      {http.MethodPost, good, strings.Repeat(" ", 1<<20+1), http.StatusRequestEntityTooLarge},
	} {
		if got := send(c.method, c.header, c.text); got != c.status || handled != 2 {
			t.Errorf("%s: %d, handled %d times", name, got, handled)
		}
	}
}

func TestHandler_HandlesAnEventThatComesTwiceAtOnceOnce(t *testing.T) {
	t.Parallel()
	secret := newSecret()
	var handled int // guarded by what is tested: the race detector sees it
	handler := newReceiver(t, secret).Handler(func(context.Context, webhook.Event) error {
		handled++
		return nil
	})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
			r.Header = headers(id, now, signature(secret, id, now, body))
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != http.StatusNoContent {
				t.Errorf("status %d", w.Code)
			}
		})
	}
	all.Wait()
	if handled != 1 {
		t.Errorf("it is handled %d times", handled)
	}
}
