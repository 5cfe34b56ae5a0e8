package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/loop-health/loop/internal/limit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/possession"
)

// Handler answers a request or returns an error, which the Site turns into
// JSON or a page.
type Handler func(w http.ResponseWriter, r *http.Request) error

// ErrorPage writes an error as a page of the host.
type ErrorPage func(w http.ResponseWriter, r *http.Request, e *loop.Error) error

// Config is what a Site needs.
type Config struct {
	PublicURL  *url.URL // where the world reaches this host; links and cookies come from here, never from a request
	Developers *url.URL // the host whose documentation explains errors
	World      loop.World
	Log        *slog.Logger
	ErrorPage  ErrorPage // nil: the host has no pages, and every error is JSON
	// CertificateURL is where clients with a certificate reach this host, on a
	// listener that asks for one (RFC 8705 §5); nil: nowhere.
	CertificateURL *url.URL
	// CertificateHeader is how a trusted proxy hands a client's certificate on:
	// as of RFC 9440, or as URL-encoded PEM. It MUST set the header on every
	// request, or take it away. Empty: none does.
	CertificateHeader string

	// Origins reports whether some app registered the origin, so that its pages may
	// ask here; nil: none did.
	Origins func(ctx context.Context, origin string) bool

	// SecurityContact is whom to write to who found a hole: a mailto: or https address;
	// empty: the host names nobody.
	SecurityContact string

	Limits  *limit.Limits // nil: requests are not limited
	Observe Observe       // nil: requests are not reported
	// Exchanged is called with each request of a client and each refused one, once it is
	// answered; nil: nobody is. It MUST NOT wait for anything.
	Exchanged func(Exchange)

	// Live reports whether this process may answer: whether it knows what other
	// processes have revoked. It is asked once a request's head has been read.
	Live func() bool

	// TrustedProxies are the networks whose X-Forwarded-For is believed. A
	// network MUST hold proxies alone that set the header themselves: whoever
	// else is in it chooses the address under which they are limited and recorded.
	TrustedProxies []netip.Prefix
}

// Site is one public host: its routes and what every request to it passes
// through.
type Site struct {
	Config
	mux *http.ServeMux

	patterns []string        // of all routes
	closed   map[string]bool // patterns that nothing answers, where a wider one would
	shared   map[string]bool // the patterns of routes that apps in browsers call
	public   map[string]bool // and of those whose answers any page may read
	forms    []errorForm     // of addresses whose errors have a form of their own
}

// NewSite makes a host without routes.
func NewSite(config Config) *Site {
	s := &Site{Config: config, mux: http.NewServeMux(), shared: map[string]bool{}, public: map[string]bool{}, closed: map[string]bool{}}
	s.mux.HandleFunc(unrouted, s.unrouted)
	if config.SecurityContact != "" {
		s.File("GET /.well-known/security.txt", s.securityContact)
	}
	return s
}

// API adds a route whose errors are JSON. The pattern names method and path.
func (s *Site) API(pattern string, h Handler) {
	s.route(pattern, h, s.WriteError)
}

// Page adds a route whose errors are pages. It is not served at the address where
// browsers would ask for a certificate, nor to a browser that wants no page.
func (s *Site) Page(pattern string, h Handler) {
	s.File(pattern, func(w http.ResponseWriter, r *http.Request) error {
		if !isNavigation(r) {
			s.WriteError(w, r, loop.Errorf(loop.Forbidden, "This address is a page. A browser asked for it as part of another one, and gets nothing."))
			return nil
		}
		return h(w, r)
	})
}

// isNavigation reports whether a browser wants to show the answer in a window of its
// own. One that doesn't say so, as older ones and other programs, may. An image, a
// frame or a script of another site MUST NOT make a member's browser do, or use up,
// anything.
func isNavigation(r *http.Request) bool {
	wanted := r.Header.Get("Sec-Fetch-Dest")
	return wanted == "" || wanted == "document"
}

// File adds a route of what pages load, which is no page itself.
func (s *Site) File(pattern string, h Handler) {
	s.route(pattern, func(w http.ResponseWriter, r *http.Request) error {
		if s.forCertificates(r) {
			return NotFound()
		}
		return h(w, r)
	}, s.writeErrorPage)
}

// Act adds a page whose GET does something: it issues a code, ends or begins a
// session. HEAD is refused.
func (s *Site) Act(pattern string, h Handler) {
	s.Page(pattern, func(w http.ResponseWriter, r *http.Request) error {
		if err := RefuseHead(w, r); err != nil {
			return err
		}
		return h(w, r)
	})
}

// RefuseHead refuses HEAD, by which an act would be done and nothing shown.
func RefuseHead(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodHead {
		return nil
	}
	w.Header().Set("Allow", "GET, POST")
	return loop.Errorf(loop.MethodNotAllowed, "Send this request by GET or POST.")
}

// Patterns are those of all routes that were added, in their order.
func (s *Site) Patterns() []string { return slices.Clone(s.patterns) }

func (s *Site) route(pattern string, h Handler, fail func(http.ResponseWriter, *http.Request, error)) {
	s.patterns = append(s.patterns, pattern)
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		note(r.Context()).route = pattern
		if err := h(w, r); err != nil {
			fail(w, r, err)
		}
	})
}

// Secure reports whether the host is reached over TLS, and so whether its
// cookies can say so.
func (s *Site) Secure() bool { return s.PublicURL.Scheme == "https" }

// Addresses are the URLs of the request's path, without query: under the public
// address, and under that for clients with a certificate.
func (s *Site) Addresses(r *http.Request) []string {
	addresses := []string{s.PublicURL.String() + r.URL.EscapedPath()}
	if s.CertificateURL != nil {
		addresses = append(addresses, s.CertificateURL.String()+r.URL.EscapedPath())
	}
	return addresses
}

// Evidence is what the request brings to prove what its sender holds.
func (s *Site) Evidence(r *http.Request) possession.Evidence {
	return possession.Evidence{Method: r.Method, URLs: s.Addresses(r), Proofs: r.Header.Values("DPoP"), Certificates: s.Certificates(r)}
}

// Handler is the whole host: the chain, then the routes.
func (s *Site) Handler() http.Handler {
	s.close()
	return s.identify(s.log(s.recover(s.guard(http.HandlerFunc(s.serve)))))
}

// serve finds the route. A path that is not in its canonical form is not
// found: nothing is redirected, so nothing can be led astray (ASVS 3.7.2).
func (s *Site) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != path.Clean(r.URL.Path) || !strings.HasPrefix(r.URL.Path, "/") || r.Method == http.MethodConnect {
		s.refuse(w, r, NotFound())
		return
	}
	if s.preflight(w, r) {
		return
	}
	s.mux.ServeHTTP(w, r)
}

// unrouted is the pattern of what no route answers.
const unrouted = "/"

// unrouted distinguishes a wrong method from a wrong path.
func (s *Site) unrouted(w http.ResponseWriter, r *http.Request) {
	allowed := s.allowed(r)
	if len(allowed) == 0 {
		s.refuse(w, r, NotFound())
		return
	}
	allow := strings.Join(allowed, ", ")
	w.Header().Set("Allow", allow)
	s.refuse(w, r, loop.Errorf(loop.MethodNotAllowed, "This address does not answer %s. It answers %s.", method(r), allow))
}

// methods are those that a route can have.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// matched is the pattern of the route that a method has at an address.
func (s *Site) matched(method string, r *http.Request) string {
	asked := *r
	asked.Method = method
	_, pattern := s.mux.Handler(&asked)
	return pattern
}

// allowed lists the methods that the request's address answers.
func (s *Site) allowed(r *http.Request) (allowed []string) {
	for _, method := range methods {
		if pattern := s.matched(method, r); pattern != unrouted && !s.closed[pattern] {
			allowed = append(allowed, method)
		}
	}
	return allowed
}

// close keeps the address of a route, where no part of it is free, from routes of other
// methods that have a free part there: beside GET /me/summary, DELETE /me/{id} deletes
// nothing that is called summary.
func (s *Site) close() {
	for _, pattern := range s.patterns {
		_, address, _ := strings.Cut(pattern, " ")
		if address == "" || strings.Contains(address, "{") {
			continue
		}
		r := &http.Request{URL: &url.URL{Path: address}}
		for _, method := range methods {
			_, other, _ := strings.Cut(s.matched(method, r), " ")
			if closed := method + " " + address; other != "" && other != address {
				s.closed[closed] = true
				s.mux.HandleFunc(closed, s.unrouted)
			}
		}
	}
}

// refuse answers a request that reached no route: a page for a browser, JSON
// for everything else.
func (s *Site) refuse(w http.ResponseWriter, r *http.Request, e *loop.Error) {
	if s.ErrorPage != nil && strings.Contains(r.Header.Get("Accept"), "text/html") {
		s.writeErrorPage(w, r, e)
		return
	}
	s.WriteError(w, r, e)
}

// NotFound is the answer where no route is.
func NotFound() *loop.Error {
	return loop.Errorf(loop.NotFound, "There is nothing at this address.").Worded("fault.not_found")
}

// method gives the request's method, shortened so that a stranger's invention
// does not fill an answer.
func method(r *http.Request) string {
	if len(r.Method) > 10 {
		return "this method"
	}
	return r.Method
}
