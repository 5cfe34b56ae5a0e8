package web

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// Certificates are those that the client proved to hold, leaf first: to us, or to
// a trusted proxy. Under the address that browsers know there are none, whatever
// a header says.
func (s *Site) Certificates(r *http.Request) []*x509.Certificate {
	if !s.forCertificates(r) {
		return nil
	}
	if s.CertificateHeader != "" && s.fromProxy(r) {
		return s.forwardedCertificate(r) // the connection's is the proxy's own
	}
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		return r.TLS.PeerCertificates
	}
	return nil
}

// forCertificates reports whether a request names the address that is for clients
// with a certificate.
func (s *Site) forCertificates(r *http.Request) bool {
	return s.CertificateURL != nil && names(r, s.CertificateURL)
}

// fromProxy reports whether the connection is a trusted proxy's.
func (s *Site) fromProxy(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && s.isProxy(peer.Addr().Unmap().WithZone(""))
}

// forwardedCertificate reads the certificate that a trusted proxy hands on.
func (s *Site) forwardedCertificate(r *http.Request) []*x509.Certificate {
	sent := r.Header.Values(s.CertificateHeader)
	if len(sent) != 1 {
		return nil
	}
	der, ok := certificateIn(sent[0])
	if !ok {
		return nil
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil
	}
	return []*x509.Certificate{certificate}
}

// certificateIn takes the certificate out of a header: Base64 between colons (RFC
// 9440 §2.1), or PEM, URL-encoded.
func certificateIn(header string) (der []byte, ok bool) {
	if inner, found := strings.CutPrefix(header, ":"); found {
		der, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(inner, ":"))
		return der, err == nil && strings.HasSuffix(inner, ":")
	}
	plain, err := url.PathUnescape(header) // a plus is a character of Base64, not a space
	if err != nil {
		return nil, false
	}
	block, _ := pem.Decode([]byte(plain))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, false
	}
	return block.Bytes, true
}
