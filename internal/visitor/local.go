package visitor

import (
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/loop-health/loop/internal/web"
)

// Local checks an address that a form carried: the path and query of a page on this
// host, or HomePath where it is anything else, such as an address elsewhere.
func Local(address string) string {
	u, err := url.Parse(address)
	switch {
	case err != nil, len(address) > web.MaxURILength, u.Scheme != "", u.Opaque != "", u.User != nil, u.Host != "", u.Fragment != "":
		return HomePath
	case !strings.HasPrefix(u.Path, "/"), path.Clean(u.Path) != u.Path, strings.ContainsAny(address, "\\\t\r\n"):
		return HomePath
	}
	return (&url.URL{Path: u.Path, RawQuery: u.RawQuery}).RequestURI()
}

// here is the address of the page that answers a request. A form is answered where
// its page is.
func here(r *http.Request, j Journey) string {
	if r.Method == http.MethodPost {
		return j.At(r.URL.Path)
	}
	return r.URL.RequestURI()
}

// From is the address of a page, with the journey as it is now.
func (j Journey) From(address string) string {
	u, err := url.Parse(address)
	if err != nil || j.text == "" {
		return address
	}
	query := u.Query()
	query.Set("continue", j.text)
	return u.Path + "?" + query.Encode()
}
