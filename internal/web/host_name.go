package web

import (
	"net/http"
	"net/url"
	"strings"
)

// defaultPorts are those that an address leaves out, as Host may (RFC 9110 §7.2).
var defaultPorts = map[string]string{"https": ":443", "http": ":80"}

// names reports whether a request names the host of one of our addresses: in any
// case, and with the default port or without.
func names(r *http.Request, own *url.URL) bool {
	return strings.EqualFold(r.Host, own.Host) || strings.EqualFold(r.Host, own.Host+defaultPorts[own.Scheme])
}
