package signin

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// challenge is what an authenticator signs (WebAuthn Level 3 §13.4.3). It is sealed,
// so that nothing is stored before it is answered; it is good in the browser that it
// was made for, for one use, once.
type challenge struct {
	Use     use
	Member  loop.MemberID // whom it is for; empty: nobody knows yet
	Browser string
	MadeAt  time.Time
}

// use is what a step of a sign-in is good for, and for nothing else.
type use string

// The uses.
const (
	forSigningIn  use = "sign in by a passkey"
	forNewPasskey use = "add a passkey"
	forCode       use = "sign in by a code" // after a right password
	forNewFactor  use = "add a second factor"
)

// Spent is the hash of what worked once, kept for as long as it could work again.
type Spent struct {
	Hash      [32]byte
	ExpiresAt time.Time
}

// ErrUsedBefore is returned by a store for what works once, and did.
var ErrUsedBefore = errors.New("it was used before")

// newChallenge makes a challenge of one use for a browser.
func (a *Authenticator) newChallenge(what use, m loop.MemberID, browser string) ([]byte, error) {
	plain, err := json.Marshal(challenge{Use: what, Member: m, Browser: browser, MadeAt: a.World.Now()})
	if err != nil {
		return nil, err
	}
	return a.Ring.Seal(credential.ForSignIn, plain), nil
}

// openChallenge judges a challenge that came back from a browser with these values of
// its cookies. why is why it is no good; empty: it is.
func (a *Authenticator) openChallenge(sealed []byte, what use, m loop.MemberID, browsers []string) (spends Spent, why string) {
	c, why := a.readChallenge(sealed, what, browsers)
	if why == "" && c.Member != m {
		why = whyOtherUse
	}
	return Spent{Hash: credential.SecretOf(string(sealed)).Hash(), ExpiresAt: c.MadeAt.Add(loop.SignInStepLife)}, why
}

// readChallenge is openChallenge for what says itself whom it is for.
func (a *Authenticator) readChallenge(sealed []byte, what use, browsers []string) (c challenge, why string) {
	plain, _, err := a.Ring.Open(credential.ForSignIn, sealed)
	switch {
	case err != nil || json.Unmarshal(plain, &c) != nil || c.Browser == "":
		return challenge{}, "challenge of nobody"
	case !slices.Contains(browsers, c.Browser):
		return challenge{}, "challenge of another browser"
	case c.Use != what:
		return challenge{}, whyOtherUse
	case !loop.Alive(a.World.Now(), c.MadeAt, loop.SignInStepLife):
		return challenge{}, whyTooOld
	}
	return c, ""
}

// whyOtherUse is why a challenge is refused that was made for something else.
const whyOtherUse = "challenge for another use"

// whyTooOld is why a challenge is refused whose page lay open for too long.
const whyTooOld = "challenge too old"
