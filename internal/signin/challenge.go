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
	Registers loop.MemberID // whose new passkey it is for; empty: it is for signing in
	Browser   string
	MadeAt    time.Time
}

// Spent is the hash of what worked once, kept for as long as it could work again.
type Spent struct {
	Hash      [32]byte
	ExpiresAt time.Time
}

// ErrUsedBefore is returned by a store for what works once, and did.
var ErrUsedBefore = errors.New("it was used before")

// newChallenge makes a challenge for a browser. registers is empty for a sign-in.
func (a *Authenticator) newChallenge(registers loop.MemberID, browser string) ([]byte, error) {
	plain, err := json.Marshal(challenge{Registers: registers, Browser: browser, MadeAt: a.World.Now()})
	if err != nil {
		return nil, err
	}
	return a.Ring.Seal(credential.ForSignIn, plain), nil
}

// openChallenge judges a challenge that came back from a browser with these values of
// its cookies. why is why it is no good; empty: it is.
func (a *Authenticator) openChallenge(sealed []byte, registers loop.MemberID, browsers []string) (spends Spent, why string) {
	plain, _, err := a.Ring.Open(credential.ForSignIn, sealed)
	var c challenge
	switch {
	case err != nil || json.Unmarshal(plain, &c) != nil || c.Browser == "":
		return Spent{}, "challenge of nobody"
	case !slices.Contains(browsers, c.Browser):
		return Spent{}, "challenge of another browser"
	case c.Registers != registers:
		return Spent{}, "challenge for another use"
	case !loop.Alive(a.World.Now(), c.MadeAt, loop.SignInStepLife):
		return Spent{}, whyTooOld
	}
	return Spent{Hash: credential.SecretOf(string(sealed)).Hash(), ExpiresAt: c.MadeAt.Add(loop.SignInStepLife)}, ""
}

// whyTooOld is why a challenge is refused whose page lay open for too long.
const whyTooOld = "challenge too old"
