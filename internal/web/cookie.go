package web

import (
	"net/http"
	"strings"
	"time"
)

// Cookie is one of a host's cookies. Its full name has the __Host- prefix,
// which keeps other hosts from setting it; plain http on a laptop has to do
// without. Names differ per host, since cookies ignore ports.
type Cookie struct {
	Name   string
	Secure bool
}

func (c Cookie) fullName() string {
	if c.Secure {
		return "__Host-" + c.Name
	}
	return c.Name
}

// Read gives the cookie's value; empty where it is absent or sent twice, since
// one of two may be somebody else's.
func (c Cookie) Read(r *http.Request) string {
	sent := r.CookiesNamed(c.fullName())
	if len(sent) != 1 {
		return ""
	}
	return sent[0].Value
}

// Set writes the cookie; with a lifetime of 0 it goes when the browser closes.
func (c Cookie) Set(w http.ResponseWriter, value string, lifetime time.Duration) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // G124: Secure is left out on plain http alone, where browsers refuse it
		Name: c.fullName(), Value: value, Path: "/", MaxAge: int(lifetime.Seconds()),
		Secure: c.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// SetFor is Set for what reads the same request later, too.
func (c Cookie) SetFor(r *http.Request, w http.ResponseWriter, value string, lifetime time.Duration) {
	c.Set(w, value, lifetime)
	r.AddCookie(&http.Cookie{Name: c.fullName(), Value: value}) //nolint:gosec // G124: nothing is set, a request is read
}

// NameOf gives the name of a cookie that was sent, without what fullName puts before
// it, where it is this cookie's or begins with it.
func (c Cookie) NameOf(sent *http.Cookie) (name string, ok bool) {
	if !strings.HasPrefix(sent.Name, c.fullName()) {
		return "", false
	}
	return c.Name + sent.Name[len(c.fullName()):], true
}

// Clear ends the cookie.
func (c Cookie) Clear(w http.ResponseWriter) { c.Set(w, "", -time.Second) }
