package fault

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// setClock shifts the server's clock from the machine's, durably or not at all.
func (s *server) setClock(t *testing.T, file string, by time.Duration) {
	t.Helper()
	if err := os.WriteFile(file+".next", []byte(by.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".next", file); err != nil {
		t.Fatal(err)
	}
}

// signer is an app that authenticates by a key of its own.
type signer struct {
	*person
	key *ecdsa.PrivateKey
}

func (s *server) newSigner(t *testing.T) *signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1", Algorithm: "ES256", Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(path, set, 0o600); err != nil {
		t.Fatal(err)
	}
	made := &signer{person: s.newPerson("Signe"), key: key}
	made.app = s.newApp("--token-endpoint-auth-method", "private_key_jwt", "--jwks-file", path)
	return made
}

// assertion makes an assertion that is good for five minutes of the true clock.
func (s *signer) assertion(t *testing.T) string {
	t.Helper()
	with, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: s.key}, (&jose.SignerOptions{}).WithHeader("kid", "1"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	text, err := jwt.Signed(with).Claims(jwt.Claims{
		Issuer: s.app.ID, Subject: s.app.ID, Audience: jwt.Audience{s.server.identity}, ID: rand.Text(),
		IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(5 * time.Minute)),
	}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// presents authenticates with an assertion, and gives what the server says to it:
// invalid_grant where it was good, since the code is none.
func (s *signer) presents(t *testing.T, assertion string) string {
	t.Helper()
	got, err := s.token(url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {"lph_rt_none"}, "client_assertion": {assertion},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return got.Error
}

func TestClock_WhatIsDeadStaysDeadAndWhatLivesDiesByTheTrueClock(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		clock := filepath.Join(t.TempDir(), "clock")
		s := newServer(t, e, t.TempDir())
		s.binary = clockBinary
		s.env = append(s.env, "LOOP_TEST_CLOCK="+clock)
		s.setClock(t, clock, 0)
		s.start()
		s.app = s.newApp()

		ada, signe := s.newPerson("Ada"), s.newSigner(t)
		verifier := rand.Text() + rand.Text()
		answered, err := ada.authorize(verifier)
		if err != nil {
			t.Fatal(err)
		}
		code := answered.Get("code")
		first, err := ada.redeem(code, verifier)
		revoked := first.must(t, err)
		if status, _, err := ada.revoke(revoked.Access); err != nil || status != http.StatusOK {
			t.Fatalf("revoking: %d, %v", status, err)
		}
		used := signe.assertion(t)
		if got := signe.presents(t, used); got != "invalid_grant" {
			t.Fatalf("a good assertion is answered %s", got)
		}
		bert := s.newPerson("Bert")
		first, err = bert.connect()
		live := first.must(t, err)

		look := func(when string, alive int) {
			t.Helper()
			if got, err := ada.redeem(code, verifier); err != nil || got.Error != "invalid_grant" {
				t.Errorf("%s: a code that was used is answered %d %s, %v", when, got.status, got.Error, err)
			}
			if status, _, err := ada.read(revoked.Access); err != nil || status != http.StatusUnauthorized {
				t.Errorf("%s: an access token that was revoked is answered %d, %v", when, status, err)
			}
			if got := signe.presents(t, used); got != "invalid_client" {
				t.Errorf("%s: an assertion that was used is answered %s", when, got)
			}
			if status, _, err := bert.read(live.Access); err != nil || status != alive {
				t.Errorf("%s: the access token of another is answered %d, %v; it should be %d", when, status, err, alive)
			}
			next, err := bert.refresh(live.Refresh)
			live.Refresh = next.must(t, err).Refresh
		}
		look("at first", http.StatusOK)
		s.setClock(t, clock, -time.Hour)
		look("an hour back", http.StatusOK)
		s.stop()
		fromTheFuture := http.StatusOK // on PostgreSQL the database's clock counts
		if e == (sqliteEngine{}) {
			fromTheFuture = http.StatusUnauthorized
			if _, complaint, status := s.try("serve"); status != 1 || !strings.Contains(complaint, "--clock-is-right") {
				t.Errorf("a start an hour back: status %d: %s", status, complaint)
			}
		}
		s.startWith("--clock-is-right")
		look("an hour back, after a start", fromTheFuture)
		s.setClock(t, clock, 55*time.Minute)
		look("five minutes before it ends", http.StatusOK)
		s.setClock(t, clock, 0)
		look("right again, which is an hour back", http.StatusOK)
		s.setClock(t, clock, 61*time.Minute)
		look("an hour on", http.StatusUnauthorized)
		s.stop()
		s.verifyAudit()
	})
}
