package fetch

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// freshness is for how long an answer may be used without asking again (RFC 9111 §4.2),
// less the time that it has spent in caches before us (§5.1). A client's document is
// kept for ourselves, so s-maxage says nothing (§5.2.2.10).
func freshness(h http.Header) time.Duration {
	directives := cacheControl(h)
	_, never := directives["no-store"]
	if _, check := directives["no-cache"]; never || check {
		return 0
	}
	life := expiry(h)
	if age, ok := directives["max-age"]; ok { // it overrides Expires (§5.3)
		life = seconds(age)
	}
	return max(0, life-seconds(h.Get("Age")))
}

// cacheControl reads the directives; of one that stands twice the first counts (§4.2.1).
func cacheControl(h http.Header) map[string]string {
	directives := map[string]string{}
	for part := range strings.SplitSeq(strings.Join(h.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(part)), "=")
		if _, twice := directives[name]; !twice {
			directives[name] = strings.Trim(value, `"`)
		}
	}
	return directives
}

func expiry(h http.Header) time.Duration {
	expires, err := http.ParseTime(h.Get("Expires"))
	date, dateErr := http.ParseTime(h.Get("Date"))
	if err != nil || dateErr != nil {
		return 0
	}
	return expires.Sub(date)
}

// seconds reads delta-seconds (§1.2.2): 0 for what is none, a long time for what is too
// long.
func seconds(text string) time.Duration {
	number, err := strconv.ParseUint(text, 10, 64)
	if err != nil && number == 0 {
		return 0
	}
	return time.Duration(min(number, math.MaxInt32)) * time.Second
}
