package web

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/loop-health/loop/internal/limit"
	"github.com/loop-health/loop/internal/loop"
)

// Limit counts a request of the class against what the key may send in a minute
// (0: the class's default), says in the X-RateLimit headers what is left, and
// refuses one too many: RateLimited, with the time to wait.
//
// Count a client's request only once it has authenticated as that client, or
// anybody could use up its limit. Of limit.FailedAuthentication count only what
// failed, and answer its error, if any, in place of InvalidClient: asked before,
// a stranger's failures would shut out the apps that share their address.
func (s *Site) Limit(w http.ResponseWriter, class limit.Class, key limit.Key, perMinute int) error {
	v := s.Limits.Allow(class, key, perMinute)
	if v.Limit == 0 {
		return nil
	}
	h := w.Header()
	h.Set("X-RateLimit-Limit", strconv.Itoa(v.Limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(v.Remaining))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(wholeSeconds(v.Reset), 10))
	if v.Allowed {
		return nil
	}
	e := loop.Errorf(loop.RateLimited, "Too many requests: the limit is %d a minute. Wait %s, as Retry-After says, then go on.", v.Limit, inWords(v.RetryAfter))
	if v.Blocked {
		e = loop.Errorf(loop.RateLimited, "Requests went on after they were refused with 429, so the wait is longer now: %s. Heed Retry-After, and it stays short.", inWords(v.RetryAfter))
	}
	e.RetryAfter = v.RetryAfter
	return e
}

// LimitClient is Limit for a request that the client has proven to be its own, by
// authentication or by a token of its own.
func (s *Site) LimitClient(w http.ResponseWriter, r *http.Request, class limit.Class, client *loop.Client) error {
	return s.Limit(w, class, limit.ByClient(client.ID, client.Type, Address(r.Context())), class.Of(client))
}

// wholeSeconds rounds up: who waits so long has waited long enough.
func wholeSeconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// inWords says to a person how long a wait is.
func inWords(d time.Duration) string {
	switch seconds := wholeSeconds(d); {
	case seconds == 1:
		return "1 second"
	case seconds <= 120:
		return fmt.Sprintf("%d seconds", seconds)
	case seconds <= 120*60:
		return fmt.Sprintf("%d minutes", (seconds+59)/60)
	default:
		return fmt.Sprintf("%d hours", (seconds+3599)/3600)
	}
}
