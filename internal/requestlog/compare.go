package requestlog

import (
	"slices"
	"strings"

	"github.com/loop-health/loop/internal/loop"
)

// Comparison is what was sent beside what is registered, the difference marked.
type Comparison struct {
	Sent       Marked
	Registered Marked
	Others     []string // that are registered too
}

// Marked is a text with the part that differs.
type Marked struct{ Before, Differs, After string }

// compare sets what was sent beside the registration, for the errors that come from
// one differing from the other; nil for all others.
func compare(e Entry, client *loop.Client) *Comparison {
	switch {
	case e.Error == loop.InvalidRequest && e.Field == "redirect_uri":
		return compareRedirectURI(e.Value("redirect_uri"), client.RedirectURIs)
	case e.Error == loop.InvalidScope:
		return &Comparison{Sent: markScopes(e.scopes(), client.AllowedScopes), Registered: Marked{Before: client.AllowedScopes.String()}}
	case e.Error == loop.InvalidClient:
		return &Comparison{Sent: Marked{Differs: e.authentication()}, Registered: Marked{Before: string(client.Protocol.AuthMethod)}}
	}
	return nil
}

func compareRedirectURI(sent string, registered []loop.RedirectURI) *Comparison {
	near := nearest(sent, registered)
	if near == "" {
		return nil
	}
	c := &Comparison{}
	c.Sent, c.Registered = mark(sent, near)
	for _, uri := range registered {
		if string(uri) != near {
			c.Others = append(c.Others, string(uri))
		}
	}
	return c
}

// nearest is the registered redirect URI that shares most with the one that was sent.
func nearest(sent string, registered []loop.RedirectURI) string {
	best, most := "", -1
	for _, uri := range registered {
		if shared := prefix(sent, string(uri)) + suffix(sent, string(uri)); shared > most {
			best, most = string(uri), shared
		}
	}
	return best
}

// mark marks where two texts differ.
func mark(a, b string) (Marked, Marked) {
	head := prefix(a, b)
	tail := suffix(a[head:], b[head:])
	cut := func(s string) Marked {
		return Marked{Before: s[:head], Differs: s[head : len(s)-tail], After: s[len(s)-tail:]}
	}
	return cut(a), cut(b)
}

// prefix is how many bytes two texts begin with alike, whole letters only.
func prefix(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	for n > 0 && n < len(a) && a[n]&0xC0 == 0x80 {
		n--
	}
	return n
}

func suffix(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	for n > 0 && a[len(a)-n]&0xC0 == 0x80 {
		n--
	}
	return n
}

// markScopes puts those that are not registered last.
func markScopes(sent []loop.Scope, registered loop.Scopes) Marked {
	var known, unknown []string
	for _, scope := range sent {
		if registered.Has(scope) {
			known = append(known, string(scope))
		} else {
			unknown = append(unknown, string(scope))
		}
	}
	m := Marked{Before: strings.Join(known, " "), Differs: strings.Join(unknown, " ")}
	if m.Before != "" && m.Differs != "" {
		m.Before += " "
	}
	return m
}

// Value is what was sent as a parameter; empty where it wasn't, or isn't kept.
func (e Entry) Value(name string) string {
	if p, ok := e.parameter(name); ok {
		return p.Value
	}
	return ""
}

// scopes are those that were asked for, known ones and others.
func (e Entry) scopes() []loop.Scope {
	var scopes []loop.Scope
	for name := range strings.FieldsSeq(e.Value("scope")) {
		scopes = append(scopes, loop.Scope(name))
	}
	return scopes
}

func (e Entry) parameter(name string) (Parameter, bool) {
	at := slices.IndexFunc(e.Received, func(p Parameter) bool { return p.Name == name })
	if at < 0 {
		return Parameter{}, false
	}
	return e.Received[at], true
}

// authentication is how the app tried to prove itself, by the registered names.
func (e Entry) authentication() string {
	_, secret := e.parameter("client_secret")
	_, assertion := e.parameter("client_assertion")
	switch {
	case assertion:
		return "private_key_jwt"
	case strings.EqualFold(e.Scheme, "basic"):
		return "client_secret_basic"
	case secret:
		return "client_secret_post"
	}
	return "none"
}
