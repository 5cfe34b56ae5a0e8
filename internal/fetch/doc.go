// Package fetch is the platform's one way out: whatever is fetched from, or
// sent to, an address that somebody registered goes through its Client. It owns
// which URLs may be asked for, which addresses they may lead to, and how long,
// how large and of what kind an answer may be, so that nobody can make the
// server look where they cannot themselves (server-side request forgery, OWASP ASVS 1.3.6).
//
//	CheckURL ─▶ wait for a slot ─▶ resolve, once ─▶ judge every address ─▶
//	dial one of these ─▶ judge the address dialled ─▶ TLS ─▶ ask ─▶ judge the answer
//
// What a URL is for, who registered it, and what its answer means are the
// business of the rooms that call it, each through an interface of its own; so
// is any cache. Read Client next.
package fetch
