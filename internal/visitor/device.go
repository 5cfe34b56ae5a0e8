package visitor

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/signin"
)

// A browser that a member has signed in with is known by a cookie: when that was, and
// a tag of it with the member's address and the browser's own cookie, so that it is
// good nowhere else. It opens nothing. A reset of the password makes all browsers
// strangers again. All that it does is to keep strangers who
// guess at the member's password from keeping the member out.

// remember notes in the browser that the member signed in with it.
func (v *Visitors) remember(w http.ResponseWriter, r *http.Request, m *loop.Member) {
	at := strconv.FormatInt(v.site.World.Now().UnixMicro(), 10)
	tag := v.devices.Tag(deviceData(m.Email, v.Browser(w, r), at))
	v.device.Set(w, at+"."+base64.RawURLEncoding.EncodeToString(tag), signin.CookieLifetime)
}

// Device names the browser, where the member with this address has signed in
// with it before; else it is empty.
func (v *Visitors) Device(r *http.Request, typed string) string {
	email, err := loop.ParseEmail(typed)
	if err != nil {
		return ""
	}
	name := v.device.Read(r)
	at, text, _ := strings.Cut(name, ".")
	tag, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return ""
	}
	for _, browser := range v.Browsers(r) {
		if v.devices.Check(deviceData(email, browser, at), tag) && v.stillKnown(r, email, at) {
			return name
		}
	}
	return ""
}

// stillKnown reports whether no reset has made a browser a stranger again. It asks
// for the account only where the tag is right, so that nobody learns from it who has
// one.
func (v *Visitors) stillKnown(r *http.Request, email loop.Email, at string) bool {
	micro, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return false
	}
	since, err := v.sessions.DevicesSince(r.Context(), email)
	return err == nil && !time.UnixMicro(micro).Before(since)
}

func deviceData(email loop.Email, browser, at string) []byte {
	return []byte(string(email) + "\n" + browser + "\n" + at)
}
