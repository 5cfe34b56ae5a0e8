package oauth

import (
	"fmt"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// steppedWorld has a clock that goes on when it is told to.
type steppedWorld struct {
	loop.Machine
	now time.Time
}

func (w *steppedWorld) Now() time.Time { return w.now }

// keysOf makes a key for each slot, numbered from a number on.
func keysOf(t *testing.T, w loop.World, master *credential.Master, from uint32) (keys []credential.Key) {
	t.Helper()
	for i, slot := range credential.Slots() {
		key, err := credential.NewKey(w, master, from+uint32(i), slot, w.Now())
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	return keys
}

func newVerifier(t *testing.T, w loop.World, master *credential.Master, keys []credential.Key) *Verifier {
	t.Helper()
	ring, err := credential.NewRing(w, master, keys)
	if err != nil {
		t.Fatal(err)
	}
	signing, err := credential.OpenSigningKeys(w, master, keys)
	if err != nil {
		t.Fatal(err)
	}
	return &Verifier{Issuer: issuer, World: w, Ring: ring, Signing: signing, Revocations: NewRevocations()}
}

func tokenAt(w loop.World) AccessToken {
	return AccessToken{
		ID: loop.NewTokenID(w), Member: loop.NewMemberID(w), Client: loop.NewClientID(w), Grant: loop.NewGrantID(w), Chain: loop.NewChainID(w),
		Scopes: loop.NewScopes(loop.ScopeOpenID), IssuedAt: w.Now(), ExpiresAt: w.Now().Add(time.Hour),
	}
}

// A token that was opened before, and is held, ends like any other.
func TestSec502_ATokenThatIsHeldOpenEndsAsItWould(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, v *Verifier, w *steppedWorld, master *credential.Master, token AccessToken){
		"it expires": func(_ *testing.T, _ *Verifier, w *steppedWorld, _ *credential.Master, _ AccessToken) {
			w.now = w.now.Add(time.Hour)
		},
		"its grant is revoked": func(_ *testing.T, v *Verifier, w *steppedWorld, _ *credential.Master, token AccessToken) {
			v.Revocations.Apply(1, loop.Revocation{Kind: loop.RevokeGrant, ID: string(token.Grant), ExpiresAt: w.now.Add(time.Hour)})
		},
		"its key is revoked": func(t *testing.T, v *Verifier, w *steppedWorld, master *credential.Master, _ AccessToken) {
			t.Helper()
			if err := v.Ring.Load(master, keysOf(t, w, master, 100)); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := &steppedWorld{now: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)}
			master, _ := credential.NewMaster(w)
			v := newVerifier(t, w, master, keysOf(t, w, master, 1))
			token := tokenAt(w)
			text := sealAccessToken(v.Ring, token).Reveal()
			for range 2 {
				if opened, err := v.Verify(text); err != nil || opened.ID != token.ID {
					t.Fatalf("the token is %+v, %v", opened, err)
				}
			}
			if len(v.opened.held) != 1 {
				t.Fatalf("%d tokens are held", len(v.opened.held))
			}
			end(t, v, w, master, token)
			if opened, err := v.Verify(text); err == nil {
				t.Errorf("it is still %+v", opened)
			}
		})
	}
}

func TestOpenedTokens_AreBoundedAndOnlyWhatOpens(t *testing.T) {
	w := &steppedWorld{now: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)}
	master, _ := credential.NewMaster(w)
	v := newVerifier(t, w, master, keysOf(t, w, master, 1))
	for i := range 10 {
		if _, err := v.Verify(fmt.Sprintf("lph_at_%d", i)); err == nil {
			t.Error("a made-up token is good")
		}
	}
	if len(v.opened.held) != 0 {
		t.Errorf("%d made-up tokens are held", len(v.opened.held))
	}
	for range openedAtMost + 10 {
		if _, err := v.Verify(sealAccessToken(v.Ring, tokenAt(w)).Reveal()); err != nil {
			t.Fatal(err)
		}
		if len(v.opened.held) > openedAtMost {
			t.Fatalf("%d are held", len(v.opened.held))
		}
	}
}

// Who appends to what a token opens writes into nothing that another request has.
func TestSec502_ATokenThatIsHeldOpenIsNotWrittenInto(t *testing.T) {
	w := &steppedWorld{now: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)}
	master, _ := credential.NewMaster(w)
	v := newVerifier(t, w, master, keysOf(t, w, master, 1))
	sealed := tokenAt(w)
	sealed.Scopes = loop.NewScopes(loop.ScopeOpenID, loop.ScopeProfile, loop.ScopeReadBiomarkers) // read one by one, which leaves room behind them
	text := sealAccessToken(v.Ring, sealed).Reveal()
	added := []loop.Scope{loop.ScopeEmail, loop.ScopeReadAccount, loop.ScopeReadDemographics}
	var appended []loop.Scopes
	for _, more := range added {
		token, err := v.Verify(text)
		if err != nil {
			t.Fatal(err)
		}
		appended = append(appended, append(token.Scopes, more), append(token.As.Own, more))
	}
	for i, scopes := range appended {
		if want := added[i/2]; scopes[3] != want {
			t.Errorf("%s was appended, and is now %s", want, scopes[3])
		}
	}
}
