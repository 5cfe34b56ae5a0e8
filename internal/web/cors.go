package web

import (
	"net/http"

	"github.com/loop-health/loop/internal/loop"
)

// What a page of another origin may send and read (Fetch §3.2). Cookies are not
// among it: no answer here ever allows credentials.
const (
	allowedHeaders = "Authorization, Content-Type, Accept, DPoP, X-Fapi-Interaction-Id, Mcp-Protocol-Version, Mcp-Method, Mcp-Name"
	exposedHeaders = "WWW-Authenticate, Link, DPoP-Nonce, Retry-After, X-Request-Id, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Fapi-Interaction-Id"
	preflightLife  = "600" // seconds
)

// BrowserAPI adds a route as API does, for apps that run in the browser too: pages
// of an origin that an app registered may read its answers. Once the app is known,
// KeepToOrigins holds the answer to the origins of that one.
func (s *Site) BrowserAPI(pattern string, h Handler) {
	s.shared[pattern] = true
	s.API(pattern, func(w http.ResponseWriter, r *http.Request) error {
		s.admitOrigin(w, r)
		return h(w, r)
	})
}

// PublicAPI adds a route as API does, whose answers anyone may read, from any page,
// and keep for a while. They hold nothing of anybody's.
func (s *Site) PublicAPI(pattern string, h Handler) {
	s.public[pattern] = true
	s.API(pattern, func(w http.ResponseWriter, r *http.Request) error {
		admitAll(w)
		w.Header().Set("Cache-Control", "public, max-age=300")
		return h(w, r)
	})
}

// admitAll lets pages of every origin read the answer.
func admitAll(w http.ResponseWriter) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Access-Control-Expose-Headers", exposedHeaders)
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
}

// admit lets pages read the answer of the route that a request of the method is for,
// as far as that route lets them; false where it does not.
func (s *Site) admit(w http.ResponseWriter, r *http.Request, method string) bool {
	asked := *r
	asked.Method = method
	_, pattern := s.mux.Handler(&asked)
	switch {
	case s.public[pattern]:
		admitAll(w)
		return true
	case s.shared[pattern]:
		return s.admitOrigin(w, r)
	}
	return false
}

// admitOrigin lets pages of the request's origin read the answer, if some app
// registered it. Before an app has proven itself there is nothing of it in an
// answer, and its page has to learn what went wrong.
func (s *Site) admitOrigin(w http.ResponseWriter, r *http.Request) bool {
	sent := r.Header.Values("Origin")
	w.Header().Add("Vary", "Origin")
	if len(sent) != 1 || s.Origins == nil || !s.Origins(r.Context(), sent[0]) {
		return false
	}
	w.Header().Set("Access-Control-Allow-Origin", sent[0])
	w.Header().Set("Access-Control-Expose-Headers", exposedHeaders)
	return true
}

// RefuseOrigin refuses a request of a page whose origin is neither this host's own nor
// one that an app registered: Forbidden.
// What an address does for a page that nobody vouches for, it does for any page that a
// member has open.
func (s *Site) RefuseOrigin(r *http.Request) error {
	sent := r.Header.Values("Origin")
	if len(sent) == 0 || len(sent) == 1 && (sent[0] == s.origin() || s.Origins != nil && s.Origins(r.Context(), sent[0])) {
		return nil
	}
	return loop.Errorf(loop.Forbidden, "No app has registered the origin of this page. Add it to the app's origins in the portal.")
}

// origin is the host's own (RFC 6454 §6.2).
func (s *Site) origin() string { return s.PublicURL.Scheme + "://" + s.PublicURL.Host }

// KeepToOrigins takes the answer away from pages of origins that the client did not
// register.
func KeepToOrigins(w http.ResponseWriter, client *loop.Client) {
	if !client.AllowsOrigin(w.Header().Get("Access-Control-Allow-Origin")) {
		w.Header().Del("Access-Control-Allow-Origin")
		w.Header().Del("Access-Control-Expose-Headers")
	}
}

// preflight answers whether a page may send a request to a shared address; false
// where it may not, and nothing was written.
func (s *Site) preflight(w http.ResponseWriter, r *http.Request) bool {
	asks := r.Header.Get("Access-Control-Request-Method")
	if r.Method != http.MethodOptions || asks == "" || !s.admit(w, r, asks) {
		return false
	}
	h := w.Header()
	h.Add("Vary", "Access-Control-Request-Method")
	h.Set("Access-Control-Allow-Methods", asks)
	h.Set("Access-Control-Allow-Headers", allowedHeaders)
	h.Set("Access-Control-Max-Age", preflightLife)
	h.Del("Access-Control-Expose-Headers")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
	return true
}
