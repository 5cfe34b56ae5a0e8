package signin

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

// Throttle slows down who keeps failing. A try is counted before its password is
// judged, and taken back if it was right, so that of many at once no more are
// judged than one after the other.
//
// A stranger's try counts for the account and their network together, where waits
// grow; for the network; and for the account over all networks, where one a minute
// stays free. So from one network nobody can keep a member out of another. From six
// or more, which each may try every five minutes, a stranger can take that one try a
// minute, and a new browser then finds none: to leave more would be to judge more
// guesses. A browser that the member has signed in with before has its tries to itself,
// and waits for no stranger.
type Throttle struct {
	Tries          Tries
	Secret         [32]byte // keys of tries are hashed under it; all processes have the same
	SignUpsPerHour int      // from one network
}

// rule is when the next try under a key may be made.
type rule struct {
	free           int           // tries that cost no wait
	first, longest time.Duration // wait after the next one; it doubles up to the longest
	window         time.Duration // not 0: no wait, but so many within it
}

// The rules. What is counted is forgotten an hour after the last wait.
var (
	ofAccountAndNetwork = rule{free: 5, first: time.Second, longest: 5 * time.Minute} // a person who mistypes is not made to wait
	ofDevice            = ofAccountAndNetwork
	ofNetwork           = rule{free: 50, first: time.Second, longest: 5 * time.Minute} // many people can share one
	ofAccount           = rule{free: 9, first: time.Minute, longest: time.Minute}
	ofMailFromNetwork   = rule{free: 60, window: time.Hour}
	ofMailToAccount     = rule{free: 5, first: time.Minute, longest: 5 * time.Minute} // one each five minutes stays free, whoever asks
	ofMailByDevice      = rule{free: 5, first: time.Minute, longest: 5 * time.Minute} // and to the member's own browser, five besides
	ofSignIns           = rule{free: 60, first: time.Minute, longest: time.Minute}    // right ones: each leaves a record
)

const forgetAfter = time.Hour

// wait is how long to wait before the next try may be made; 0: it may now. What is
// old enough is forgotten.
func (r rule) wait(c *TryCount, now time.Time) time.Duration {
	if r.window > 0 {
		if since := now.Sub(c.Since); since >= r.window || since < 0 {
			*c = TryCount{}
		}
		if c.Count >= r.free {
			return c.Since.Add(r.window).Sub(now)
		}
		return 0
	}
	wait := c.NotBefore.Sub(now)
	if wait < -forgetAfter || wait > r.longest { // or counted by a clock that was ahead
		*c = TryCount{}
		return 0
	}
	return max(0, wait)
}

// add counts a try.
func (r rule) add(c *TryCount, now time.Time) {
	if c.Count == 0 {
		c.Since = now
	}
	c.Count++
	c.NotBefore = now
	if over := c.Count - r.free; over > 0 && r.window == 0 {
		wait := r.longest
		if over < 16 { // beyond, every rule waits its longest
			wait = min(r.longest, r.first<<(over-1))
		}
		c.NotBefore = now.Add(wait)
	}
}

// Try is one attempt to sign in.
type Try struct {
	Account string // that it is for, in its one form; empty: nobody knows before it is judged
	Address string // that it comes from
	Device  string // names a browser that the account's member has signed in with; empty: none
}

// counted is one of the keys that a try counts under.
type counted struct {
	name string
	rule rule
	// Of a right password: the account's own failures are forgotten. A network's are
	// not, or one good account would buy endless tries at others.
	forgotten bool
}

func (t Try) counted() []counted {
	if t.Device != "" {
		return []counted{{"device " + t.Device + " of " + t.Account, ofDevice, true}}
	}
	network := loop.NetworkOf(t.Address).String()
	if t.Account == "" {
		return []counted{{"network " + network, ofNetwork, false}}
	}
	return []counted{
		{"account " + t.Account + " from " + network, ofAccountAndNetwork, true},
		{"network " + network, ofNetwork, false},
		{"account " + t.Account, ofAccount, false},
	}
}

// signedIn is the key of an account's right sign-ins.
func (t Try) signedIn() counted { return counted{name: "signed in " + t.Account, rule: ofSignIns} }

// Reserve counts a try that is about to be judged. RateLimited, with the time to
// wait, where it may not be made yet; then it counts for nothing.
func (t *Throttle) Reserve(ctx context.Context, try Try) error {
	keys := try.counted()
	wait, err := t.count(ctx, keys, try.signedIn())
	if err == nil && wait > 0 {
		err = tooManySignIns(wait)
	}
	return err
}

// count counts under all keys, or under none where one of them, or of those that
// are only looked at, has to wait.
func (t *Throttle) count(ctx context.Context, keys []counted, lookedAt ...counted) (wait time.Duration, err error) {
	all := append(keys[:len(keys):len(keys)], lookedAt...)
	err = t.Tries.ChangeTries(ctx, t.keys(all), func(now time.Time, counts []TryCount) {
		wait = 0
		for i, key := range all {
			wait = max(wait, key.rule.wait(&counts[i], now))
		}
		for i, key := range keys {
			if wait == 0 {
				key.rule.add(&counts[i], now)
			}
		}
	})
	return wait, err
}

// Return takes back a try that was not judged.
func (t *Throttle) Return(ctx context.Context, try Try) error {
	keys := try.counted()
	return t.Tries.ChangeTries(ctx, t.keys(keys), func(now time.Time, counts []TryCount) {
		for i := range keys {
			counts[i].takeBack(now)
		}
	})
}

// Succeeded takes back a try whose password was right, and counts the sign-in.
func (t *Throttle) Succeeded(ctx context.Context, try Try) error {
	keys := append(try.counted(), try.signedIn())
	return t.Tries.ChangeTries(ctx, t.keys(keys), func(now time.Time, counts []TryCount) {
		last := len(keys) - 1
		for i, key := range keys[:last] {
			if key.forgotten {
				counts[i] = TryCount{}
			} else {
				counts[i].takeBack(now)
			}
		}
		keys[last].rule.add(&counts[last], now)
	})
}

// SucceededBy takes back a try that named no account, and was right for one, and counts
// its sign-in: RateLimited where there were too many.
func (t *Throttle) SucceededBy(ctx context.Context, try Try, account string) error {
	if err := t.Return(ctx, try); err != nil {
		return err
	}
	wait, err := t.count(ctx, []counted{Try{Account: account}.signedIn()})
	if err == nil && wait > 0 {
		err = tooManySignIns(wait)
	}
	return err
}

// takeBack undoes an add. That one could be made says that there was no wait.
func (c *TryCount) takeBack(now time.Time) {
	if c.Count <= 1 {
		*c = TryCount{}
		return
	}
	c.Count--
	if c.NotBefore.After(now) {
		c.NotBefore = now
	}
}

// AllowSignUp counts a sign-up from the address's network; RateLimited over the
// hour's number.
func (t *Throttle) AllowSignUp(ctx context.Context, address string) error {
	key := counted{name: "sign-ups from " + loop.NetworkOf(address).String(), rule: rule{free: t.SignUpsPerHour, window: time.Hour}}
	wait, err := t.count(ctx, []counted{key})
	if err == nil && wait > 0 {
		err = tooMany("Too many accounts were made from this network. Try again later.", "fault.too_many_signups", wait)
	}
	return err
}

// AllowMail counts a mail that somebody asks for to an address, whether it has an
// account or not (member.MailLimits). A browser that its member has signed in with
// before, which device names, has its mails to itself: no stranger can use them up.
func (t *Throttle) AllowMail(ctx context.Context, email loop.Email, device string) error {
	keys := []counted{
		{name: "mails from " + loop.NetworkOf(audit.OriginOf(ctx).Address).String(), rule: ofMailFromNetwork},
		{name: "mails to " + string(email), rule: ofMailToAccount},
	}
	if device != "" {
		keys = []counted{{name: "mails by device " + device + " to " + string(email), rule: ofMailByDevice}}
	}
	wait, err := t.count(ctx, keys)
	if err == nil && wait > 0 {
		err = tooMany("There were too many mails to this address, or from this network. Wait a moment, then try again.", "fault.too_many_mails", wait)
	}
	return err
}

func (t *Throttle) keys(all []counted) []TryKey {
	keys := make([]TryKey, len(all))
	for i, one := range all {
		mac := hmac.New(sha256.New, t.Secret[:])
		mac.Write([]byte(one.name))
		keys[i] = TryKey(mac.Sum(nil))
	}
	return keys
}

// tooMany refuses until the wait is over; words is what a member reads.
func tooMany(text, words string, wait time.Duration) error {
	e := loop.Errorf(loop.RateLimited, "%s", text).Worded(words)
	e.RetryAfter = wait
	return e
}

func tooManySignIns(wait time.Duration) error {
	return tooMany("There were too many sign-ins. Wait a moment, then try again.", "fault.too_many_sign_ins", wait)
}
