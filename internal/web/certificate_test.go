package web

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"
	"time"
)

func newCertificate(t *testing.T) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "morning"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

func TestCertificates(t *testing.T) {
	sent := newCertificate(t)
	rfc9440 := ":" + base64.StdEncoding.EncodeToString(sent.Raw) + ":"
	escaped := url.PathEscape(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: sent.Raw})))
	const proxy, stranger = "10.1.0.7:1234", "203.0.113.9:1234"
	const public, mutual = "identity.example.com", "mtls.example.com"
	for name, test := range map[string]struct {
		peer, host string
		header     []string
		tls        *tls.ConnectionState
		found      bool
	}{
		"the connection's own":                             {peer: stranger, host: mutual, tls: &tls.ConnectionState{PeerCertificates: []*x509.Certificate{sent}}, found: true},
		"RFC 8705 §5 none under the address of browsers":   {peer: stranger, host: public, tls: &tls.ConnectionState{PeerCertificates: []*x509.Certificate{sent}}},
		"RFC 9440 §2 by a trusted proxy":                   {peer: proxy, host: mutual, header: []string{rfc9440}, found: true},
		"PEM, URL-encoded, by a trusted proxy":             {peer: proxy, host: mutual, header: []string{escaped}, found: true},
		"Sec081 by anybody else":                           {peer: stranger, host: mutual, header: []string{rfc9440}},
		"Sec081 by a proxy, under the address of browsers": {peer: proxy, host: public, header: []string{rfc9440}},
		"Sec081 twice: one may be the client's own":        {peer: proxy, host: mutual, header: []string{rfc9440, rfc9440}},
		"a trusted proxy's own is not the client's":        {peer: proxy, host: mutual, header: []string{rfc9440}, tls: &tls.ConnectionState{PeerCertificates: []*x509.Certificate{newCertificate(t)}}, found: true},
		"Sec081 a trusted proxy's own is nobody's":         {peer: proxy, host: mutual, tls: &tls.ConnectionState{PeerCertificates: []*x509.Certificate{sent}}},
		"nothing":                           {peer: proxy, host: mutual},
		"RFC 9440 §2.1 no colon at the end": {peer: proxy, host: mutual, header: []string{rfc9440[:len(rfc9440)-1]}},
		"Base64 of something else":          {peer: proxy, host: mutual, header: []string{":AAAA:"}},
		"PEM of something else":             {peer: proxy, host: mutual, header: []string{url.PathEscape("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")}},
		"a bad escape":                      {peer: proxy, host: mutual, header: []string{"%zz"}},
	} {
		t.Run(name, func(t *testing.T) {
			site := NewSite(Config{
				PublicURL: &url.URL{Scheme: "https", Host: public}, CertificateURL: &url.URL{Scheme: "https", Host: mutual},
				CertificateHeader: "Client-Cert", TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")},
			})
			r := httptest.NewRequest(http.MethodPost, "https://"+test.host+"/v1/oauth/token", http.NoBody)
			r.RemoteAddr, r.TLS = test.peer, test.tls
			r.Header["Client-Cert"] = test.header
			got := site.Certificates(r)
			if found := len(got) == 1 && got[0].Equal(sent); found != test.found || !test.found && got != nil {
				t.Errorf("it finds %d certificates", len(got))
			}
		})
	}
}

// FuzzCertificateHeader: a proxy's header is read, or is not, and never more.
func FuzzCertificateHeader(f *testing.F) {
	f.Add(":AAAA:")
	f.Add("-----BEGIN%20CERTIFICATE-----%0AAAAA%0A-----END%20CERTIFICATE-----%0A")
	f.Add(":")
	f.Fuzz(func(t *testing.T, header string) {
		if der, ok := certificateIn(header); ok && der == nil {
			t.Fatalf("%q gives nothing", header)
		}
	})
}
