package visitor

import (
	"net/http"
	"slices"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/web"
)

// Forms and continuations are bound to a cookie of the browser. A browser that
// opens several pages before it has one, as tabs that are restored together do, is
// given one with each answer. So that none takes the place of another, each has a
// name of its own, which sorts by time, and what is bound to any of them is good.
const maxBrowsers = 8 // the oldest cookie goes

// Browsers are the values that the request's browser is known by, oldest first. Of
// two with one name, one may be somebody else's: neither counts.
func (v *Visitors) Browsers(r *http.Request) []string {
	var values []string
	for _, name := range v.browserCookies(r) {
		value := v.cookie(name).Read(r)
		if _, wellFormed := credential.SessionPrefix.Parse(value); wellFormed {
			values = append(values, value)
		}
	}
	return values
}

// browserCookies are the names of the browser's cookies, oldest first.
func (v *Visitors) browserCookies(r *http.Request) []string {
	var names []string
	for _, c := range r.Cookies() {
		if name, ours := v.browser.NameOf(c); ours {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Browser gives the value that new pages are bound to, the newest of the browser's,
// and sets one where there is none yet.
func (v *Visitors) Browser(w http.ResponseWriter, r *http.Request) string {
	for names := v.browserCookies(r); len(names) > maxBrowsers; names = names[1:] {
		v.cookie(names[0]).Clear(w)
	}
	if known := v.Known(r); known != "" {
		return known
	}
	value := credential.NewSecret(v.site.World, credential.SessionPrefix).Reveal()
	v.cookie(v.browser.Name+"_"+string(loop.NewRequestID(v.site.World))).SetFor(r, w, value, signin.CookieLifetime)
	return value
}

// Known is the newest value that the request's browser is known by; empty: none.
func (v *Visitors) Known(r *http.Request) string {
	known := v.Browsers(r)
	if len(known) == 0 {
		return ""
	}
	return known[len(known)-1]
}

func (v *Visitors) cookie(name string) web.Cookie {
	return web.Cookie{Name: name, Secure: v.site.Secure()}
}
