package connecttest_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loop-health/loop/connect"
	"github.com/loop-health/loop/connect/connecttest"
)

// one is a member who has connected an app.
func one(t *testing.T, options ...connecttest.Option) (*connecttest.Platform, *connect.Client, connecttest.Member) {
	t.Helper()
	p := connecttest.New(t)
	ada := p.AddMember(t, "Ada")
	client := newClient(t, p.NewApp(t, callback, options...))
	if _, err := p.Connect(t, client, ada); err != nil {
		t.Fatal(err)
	}
	return p, client, ada
}

func list(t *testing.T, client *connect.Client, m connecttest.Member) error {
	t.Helper()
	_, err := client.For(m.ID).Biomarkers.List(t.Context(), connect.BiomarkerQuery{})
	return err
}

func TestFaults_ThreeAnswersInTenAre503(t *testing.T) {
	t.Parallel()
	p, client, ada := one(t)
	p.Inject(connecttest.Fault{Share: 0.3, Status: http.StatusServiceUnavailable, RetryAfter: time.Second})
	for range 4 {
		if err := list(t, client, ada); err != nil {
			t.Errorf("a read: %v", err)
		}
		p.Clock.Advance(2 * time.Hour)
	}
}

func TestFaults_RetryAfterIsHeeded(t *testing.T) {
	t.Parallel()
	p, client, ada := one(t)
	p.Inject(connecttest.Fault{Path: "/v1/biomarkers/me", Times: 1, Status: http.StatusTooManyRequests, RetryAfter: 2 * time.Second})
	began := time.Now()
	if err := list(t, client, ada); err != nil || time.Since(began) < 2*time.Second {
		t.Errorf("answered after %s, %v", time.Since(began), err)
	}
	p.Inject(connecttest.Fault{Path: "/v1/biomarkers/me", Status: http.StatusTooManyRequests, RetryAfter: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err := client.For(ada.ID).Biomarkers.List(ctx, connect.BiomarkerQuery{})
	known, ok := errors.AsType[*connect.Error](err)
	if !ok || known.Status != http.StatusTooManyRequests || known.RetryAfter != time.Hour || ctx.Err() != nil {
		t.Errorf("a wait that does not fit the deadline: %v", err)
	}
}

// The refresh was carried out, and its answer was lost.
func TestFaults_ARefreshWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	cut := connecttest.Fault{Path: "/v1/oauth/token", Times: 1, Cut: true}
	t.Run("with a grace period it recovers", func(t *testing.T) {
		t.Parallel()
		p, client, ada := one(t, connecttest.WithGrace(30*time.Second))
		p.Clock.Advance(2 * time.Hour)
		p.Inject(cut)
		if err := list(t, client, ada); err != nil {
			t.Error(err)
		}
	})
	t.Run("without one the member connects again, and nobody asks in a circle", func(t *testing.T) {
		t.Parallel()
		p, client, ada := one(t)
		p.Clock.Advance(2 * time.Hour)
		p.Inject(cut)
		for range 3 {
			if err := list(t, client, ada); !errors.Is(err, connect.ErrReconnect) {
				t.Errorf("got %v", err)
			}
		}
		if asked, _ := p.Refreshes(); asked != 1 {
			t.Errorf("%d refreshes were asked for", asked)
		}
		if _, err := p.Connect(t, client, ada); err != nil {
			t.Error(err)
		}
		if err := list(t, client, ada); err != nil {
			t.Error(err)
		}
	})
}

// A refresh is repeated where the answer says that nothing was written, and keeps the
// tokens where Loop can't be reached at all.
func TestFaults_ARefreshThatWasNotCarriedOutLosesNothing(t *testing.T) {
	t.Parallel()
	p, client, ada := one(t)
	p.Clock.Advance(2 * time.Hour)
	p.Inject(connecttest.Fault{Path: "/v1/oauth/token", Status: http.StatusServiceUnavailable, RetryAfter: time.Second})
	if _, err := client.Tokens(t.Context(), ada.ID); err == nil || errors.Is(err, connect.ErrReconnect) {
		t.Errorf("while nothing is written: %v", err)
	}
	p.Heal()
	if err := list(t, client, ada); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// An app's clock may be wrong by five minutes, either way.
func TestFaults_ClocksThatDiffer(t *testing.T) {
	t.Parallel()
	for name, skew := range map[string]time.Duration{"behind": -5 * time.Minute, "ahead": 5*time.Minute + time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := connecttest.New(t)
			ada := p.AddMember(t, "Ada")
			config := p.NewApp(t, callback)
			config.Now = func() time.Time { return p.Clock.Now().Add(skew) }
			client := newClient(t, config)
			if _, err := p.Connect(t, client, ada); err != nil {
				t.Fatal(err)
			}
			for range 5 {
				if err := list(t, client, ada); err != nil {
					t.Error(err)
				}
				p.Clock.Advance(40 * time.Minute)
			}
		})
	}
}

// Who wanted a refresh and goes away takes it from nobody.
func TestTokens_WhoGoesAwayEndsNobodysRefresh(t *testing.T) {
	t.Parallel()
	p, client, ada := one(t)
	p.Clock.Advance(2 * time.Hour)
	p.Inject(connecttest.Fault{Path: "/v1/oauth/token", Times: 1, Delay: 300 * time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := client.Tokens(ctx, ada.ID); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if _, err := client.Tokens(t.Context(), ada.ID); err != nil {
		t.Error(err)
	}
	if asked, answered := p.Refreshes(); asked != 1 || answered != 1 {
		t.Errorf("%d refreshes, %d answered", asked, answered)
	}
}

func TestHTTP_SendsATokenToNobodyElse(t *testing.T) {
	t.Parallel()
	_, client, ada := one(t)
	for _, address := range []string{"https://evil.example/", "http://127.0.0.1:1/"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.For(ada.ID).HTTP().Do(r)
		if err == nil {
			_ = response.Body.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "alone") {
			t.Errorf("to %s: %v", address, err)
		}
	}
}

func TestTokenSource_PersistsWhatItRefreshes(t *testing.T) {
	t.Parallel()
	p, client, ada := one(t)
	p.Clock.Advance(2 * time.Hour)
	source := client.TokenSource(t.Context(), ada.ID)
	first, err := source.Token()
	if err != nil || first.RefreshToken != "" || first.TokenType != "Bearer" {
		t.Fatalf("got %v, %v", first.TokenType, err)
	}
	second, err := source.Token()
	if err != nil || second.AccessToken != first.AccessToken {
		t.Errorf("asked again it gives another one, %v", err)
	}
	held, err := client.Tokens(t.Context(), ada.ID)
	if err != nil || string(held.Access) != first.AccessToken {
		t.Errorf("the store has another one, %v", err)
	}
}

func newKey(t *testing.T) (*ecdsa.PrivateKey, *connect.Key) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := connect.NewKey(private, "1")
	if err != nil {
		t.Fatal(err)
	}
	return private, key
}

// One option each: tokens that are bound to a key, and an app that signs who it is.
func TestConfig_DPoPAndPrivateKeyJWT(t *testing.T) {
	t.Parallel()
	private, key := newKey(t)
	p := connecttest.New(t)
	ada := p.AddMember(t, "Ada")
	config := p.NewApp(t, callback, connecttest.WithKey(private.Public(), "1"))
	config.ClientKey, config.ProofKey = key, key
	var attempts atomic.Int64
	config.Hooks.Request = func(context.Context, string, string, int) func(int, error) {
		attempts.Add(1)
		return nil
	}
	client := newClient(t, config)
	login, err := p.Connect(t, client, ada)
	if err != nil {
		t.Fatal(err)
	}
	if err := list(t, client, ada); err != nil {
		t.Error(err)
	}
	p.Clock.Advance(2 * time.Hour)
	if err := list(t, client, ada); err != nil {
		t.Errorf("refreshed: %v", err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.API+"/v1/biomarkers/me", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+string(login.Tokens.Access))
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // it is not read
	if response.StatusCode != http.StatusUnauthorized {
		t.Errorf("without the key a token opens the API: %d", response.StatusCode)
	}
	if attempts.Load() == 0 {
		t.Error("the hook was called with nothing")
	}
}

func TestForget_GivesTheTokensBack(t *testing.T) {
	t.Parallel()
	_, client, ada := one(t)
	for range 2 {
		if err := client.Forget(t.Context(), ada.ID); err != nil {
			t.Error(err)
		}
	}
	if err := list(t, client, ada); !errors.Is(err, connect.ErrNoTokens) {
		t.Errorf("got %v", err)
	}
}
