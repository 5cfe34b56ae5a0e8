package telemetry

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// privateZones are the last labels of names that nobody can register in public
// (RFC 6761, RFC 6762, .internal as ICANN set it apart, and Kubernetes' services).
var privateZones = []string{"localhost", "local", "internal", "svc"}

// expectedHost reports whether a request that names this host can come from the
// operator's machines: by an address, by a name of one label, or by a name of a
// private zone. A page that has its own name lead here (DNS rebinding) comes by
// another.
func expectedHost(host string) bool {
	name := host
	if bare, _, err := net.SplitHostPort(host); err == nil {
		name = bare
	}
	name = strings.ToLower(strings.TrimSuffix(strings.Trim(name, "[]"), "."))
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	dot := strings.LastIndexByte(name, '.')
	return name != "" && (dot < 0 || slices.Contains(privateZones, name[dot+1:]))
}

// forExpectedHosts answers no request that names another host.
func forExpectedHosts(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if !expectedHost(r.Host) {
			http.Error(w, "Ask for this by an address, or by a name of a private network.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}
