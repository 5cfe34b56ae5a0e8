package identity_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/oauth/clientauth"
	"github.com/loop-health/loop/internal/oauth/possession"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// A stranger who names a key that nobody has can have a client's keys fetched
// again, but not taken away.
func TestSec113_AStrangerTakesNobodysKeysAway(t *testing.T) {
	t.Parallel()
	p := withReceiver(t)
	key, stranger, server := platformtest.NewKey(t), platformtest.NewKey(t), newKeyServer(t)
	good := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(key.Set())
	}
	server.answers(good)
	app := p.AddApp(t, func(c *loop.Client) {
		c.Protocol.AuthMethod, c.Protocol.KeySetURI = loop.AuthPrivateKeyJWT, server.URL+"/jwks.json"
	})
	works := func(t *testing.T) {
		t.Helper()
		proven(t, asserting(t, p, app, key.Sign("JWT", app.AssertionClaims())))
	}
	guess := func(ctx context.Context) error {
		_, err := p.OAuth.Clients.Authenticate(ctx, clientauth.Request{Evidence: possession.Evidence{Method: http.MethodPost, URLs: []string{p.OAuth.Issuer + oauth.TokenPath}}, Form: url.Values{
			"client_assertion_type": {platformtest.AssertionType}, "client_assertion": {stranger.Sign("JWT", app.AssertionClaims())},
		}})
		return err
	}
	works(t)

	t.Run("by hanging up", func(t *testing.T) {
		p.World.Advance(time.Minute)
		gone, hangUp := context.WithCancel(t.Context())
		hangUp()
		if err := guess(gone); err == nil {
			t.Fatal("a stranger is let in")
		}
		works(t)
	})
	t.Run("while the client's server is away", func(t *testing.T) {
		server.answers(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "away", http.StatusServiceUnavailable) })
		p.World.Advance(time.Minute)
		if err := guess(t.Context()); err == nil {
			t.Fatal("a stranger is let in")
		}
		works(t)
		p.World.Advance(10 * time.Minute) // but what was taken out of the set is not good for ever
		refused(t, asserting(t, p, app, key.Sign("JWT", app.AssertionClaims())), http.StatusUnauthorized, "invalid_client")
		server.answers(good)
		p.World.Advance(time.Minute)
		works(t)
	})
	t.Run("while the client's server takes its time", func(t *testing.T) {
		p.World.Advance(time.Minute)
		asked, answer := make(chan struct{}), make(chan struct{})
		server.answers(func(w http.ResponseWriter, r *http.Request) {
			close(asked)
			<-answer
			good(w, r)
		})
		guessed := make(chan error, 1)
		go func() { guessed <- guess(t.Context()) }()
		<-asked
		works(t) // does not wait for it
		close(answer)
		if err := <-guessed; err == nil {
			t.Error("a stranger is let in")
		}
	})
}

// Keys need no names: a new one is found by what it signed.
func TestSec113_ANewKeyWithoutANameIsFoundToo(t *testing.T) {
	t.Parallel()
	p := withReceiver(t)
	server := newKeyServer(t)
	unnamed := func() *platformtest.Key {
		key := platformtest.NewKey(t)
		key.KeyID = ""
		return key
	}
	publish := func(key *platformtest.Key) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(key.Set())
		}
	}
	first, second := unnamed(), unnamed()
	server.answers(publish(first))
	app := p.AddApp(t, func(c *loop.Client) {
		c.Protocol.AuthMethod, c.Protocol.KeySetURI = loop.AuthPrivateKeyJWT, server.URL+"/jwks.json"
	})
	assert := func(key *platformtest.Key) *platformtest.Response {
		return asserting(t, p, app, key.SignWith((&jose.SignerOptions{}).WithType("JWT"), app.AssertionClaims()))
	}
	proven(t, assert(first))
	refused(t, assert(second), http.StatusUnauthorized, "invalid_client")
	server.answers(publish(second))
	p.World.Advance(time.Minute)
	proven(t, assert(second))
	refused(t, assert(first), http.StatusUnauthorized, "invalid_client")
}
