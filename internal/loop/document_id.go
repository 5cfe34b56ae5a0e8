package loop

import (
	"net/url"
	"slices"
	"strings"
)

// maxDocumentURL bounds a client's identifier that is an address.
const maxDocumentURL = 512

// FromDocument reports whether the identifier is the address of a client's own metadata
// document (draft-ietf-oauth-client-id-metadata-document §3): https with a host and a
// path, in a form that no two programs read differently. http at a loopback address is
// of that form too; whether such a document is fetched is a matter of configuration.
func (id ClientID) FromDocument() bool { return id.document() != nil }

// DocumentHost is the host of the client's metadata document, with its port, if any;
// empty where the client has none.
func (id ClientID) DocumentHost() string {
	if u := id.document(); u != nil {
		return u.Host
	}
	return ""
}

func (id ClientID) document() *url.URL {
	text := string(id)
	if !strings.HasPrefix(text, "https://") && !strings.HasPrefix(text, "http://") || len(text) > maxDocumentURL || strings.Contains(text, "#") || strings.ContainsFunc(text, foreignToURI) {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.User != nil || u.Host != strings.ToLower(u.Host) || hostFault(u.Hostname()) != "" || u.Hostname() == "" ||
		strings.HasSuffix(u.Host, ":") || !validPort(u.Port()) || u.Scheme == "http" && !loopbackHost(u.Hostname()) {
		return nil
	}
	dots := func(segment string) bool { return segment == "." || segment == ".." }
	if u.Path == "" || u.Path == "/" || slices.ContainsFunc(strings.Split(u.Path, "/"), dots) {
		return nil
	}
	return u
}
