package web

import (
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// Bounds of a request, checked before anything of it is parsed.
const (
	MaxURILength    = 12 << 10 // of what we lead a browser to ourselves, too
	maxHeaderBytes  = 32 << 10
	maxHeaderFields = 100
)

// guard sets the headers that every answer carries and turns away what is too
// large or meant for another host.
func (s *Site) guard(next http.Handler) http.Handler {
	security := s.securityHeaders()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), security)
		if len(r.TransferEncoding) > 0 {
			// There may have been a Content-Length too, which a proxy in front went by:
			// what comes behind could be the body to one and a request to the other.
			w.Header().Set("Connection", "close")
		}
		if e := s.check(r); e != nil {
			s.admit(w, r, r.Method) // so that a page can read what was wrong
			s.refuse(w, r, e)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// securityHeaders is the strictest answer; a page widens what it needs
// (AllowPage). All answers share the values: a handler replaces one (Set) or adds
// to it (Add), which makes a copy, but MUST NOT write into it.
func (s *Site) securityHeaders() http.Header {
	h := strictHeaders()
	if s.Secure() {
		h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
	}
	return h
}

// strictHeaders are those of every answer, over TLS or not.
func strictHeaders() http.Header {
	return http.Header{
		"Content-Security-Policy":      {"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"},
		"X-Frame-Options":              {"DENY"},
		"X-Content-Type-Options":       {"nosniff"},
		"Referrer-Policy":              {"no-referrer"},
		"Cross-Origin-Opener-Policy":   {"same-origin"},
		"Cross-Origin-Resource-Policy": {"same-origin"},
		"Permissions-Policy":           {"camera=(), geolocation=(), microphone=(), payment=()"},
	}
}

// check judges the request's head.
func (s *Site) check(r *http.Request) *loop.Error {
	switch {
	case len(r.RequestURI) > MaxURILength:
		return loop.Errorf(loop.URITooLong, "The address is longer than %d bytes. Send less in it; an authorization request can be pushed.", MaxURILength)
	case headerBytes(r.Header) > maxHeaderBytes, headerFields(r.Header) > maxHeaderFields:
		return loop.Errorf(loop.HeadersTooLarge, "The headers are larger than %d bytes or more than %d fields. Send fewer, and shorter ones.", maxHeaderBytes, maxHeaderFields)
	case !names(r, s.PublicURL) && !s.forCertificates(r):
		return loop.Errorf(loop.InvalidRequest, "This host is %s. The request named another: use that name.", s.PublicURL.Host)
	case strings.ContainsRune(r.URL.Path, 0):
		return NotFound()
	case s.Live != nil && !s.Live():
		return cutOff()
	}
	return nil
}

// cutOff is the answer of a process that has not heard from the database for a
// while: it does not know what has been revoked since. Nothing was done.
func cutOff() *loop.Error {
	e := loop.Errorf(loop.TemporarilyUnavailable, "This server has lost touch with the others for a moment. Try again.")
	e.RetryAfter = time.Second
	return e
}

func headerBytes(h http.Header) int {
	total := 0
	for name, values := range h {
		for _, value := range values {
			total += len(name) + len(value)
		}
	}
	return total
}

func headerFields(h http.Header) int {
	total := 0
	for _, values := range h {
		total += len(values)
	}
	return total
}

// AllowPage widens an answer's Content-Security-Policy to what a page needs: our
// own stylesheet and images, and whatever else the page names. It leaves
// form-action out where formAction is empty: browsers apply it to the redirect
// that follows a form too, and sign-in and consent lead to apps.
func AllowPage(h http.Header, formAction string, more ...string) {
	policy := "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'"
	if formAction != "" {
		policy += "; form-action " + formAction
	}
	for _, directive := range more {
		policy += "; " + directive
	}
	h.Set("Content-Security-Policy", policy)
}
