package visitor

import (
	"encoding/base64"
	"net/http"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/signin"
)

// A browser that a member has signed in with is known by a cookie: a tag of the
// member's address and the browser's own cookie, so that it says nothing and is
// good nowhere else. It opens nothing. All that it does is to keep strangers who
// guess at the member's password from keeping the member out.

// remember notes in the browser that the member signed in with it.
func (v *Visitors) remember(w http.ResponseWriter, r *http.Request, m *loop.Member) {
	tag := v.devices.Tag(deviceData(m.Email, v.Browser(w, r)))
	v.device.Set(w, base64.RawURLEncoding.EncodeToString(tag), signin.CookieLifetime)
}

// Device names the browser, where the member with this address has signed in
// with it before; else it is empty.
func (v *Visitors) Device(r *http.Request, typed string) string {
	email, err := loop.ParseEmail(typed)
	if err != nil {
		return ""
	}
	name := v.device.Read(r)
	tag, err := base64.RawURLEncoding.Strict().DecodeString(name)
	if err != nil {
		return ""
	}
	for _, browser := range v.Browsers(r) {
		if v.devices.Check(deviceData(email, browser), tag) {
			return name
		}
	}
	return ""
}

func deviceData(email loop.Email, browser string) []byte {
	return []byte(string(email) + "\n" + browser)
}
