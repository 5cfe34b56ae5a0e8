package conformance

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"net/http"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// The names at which the platform asks for certificates.
const (
	identityMTLSHost = "identity-mtls.loop.example"
	clinicalMTLSHost = "clinical-mtls.loop.example"

	identityMTLS = "https://" + identityMTLSHost
	clinicalMTLS = "https://" + clinicalMTLSHost
)

// overMTLS lets the platform ask clients for certificates, at an address of its
// own. Those of its authority are good where a client registered a name.
func overMTLS(t *testing.T, s *server) {
	t.Helper()
	address := freeAddress(t)
	s.hosts[identityMTLSHost], s.hosts[clinicalMTLSHost] = address, address
	s.settings = append(s.settings, "LOOP_MTLS_LISTEN="+address, "LOOP_MTLS_AUTHORITIES="+s.authority.file(t),
		"LOOP_IDENTITY_MTLS_URL="+identityMTLS, "LOOP_CLINICAL_MTLS_URL="+clinicalMTLS)
}

// mutualTLS is the profile with certificates in place of assertions and proofs
// (RFC 8705).
var mutualTLS = []module{
	{"discovery names the endpoints", mtlsMetadata},
	{"a certificate of a registered subject", byCertificate(named)},
	{"a certificate of a registered DNS name", byCertificate(namedByDNS)},
	{"a certificate that the client signed itself", byCertificate(selfSigned)},
	{"private_key_jwt with tokens that are bound to a certificate", byAssertionWithCertificate},
	{"another certificate, or none, is no client", wrongCertificate},
	{"TLS is as strict at identity as elsewhere", func(t *testing.T, s *suite) { s.holdsToTLS(t, identityMTLSHost) }},
	{"TLS is as strict at clinical as elsewhere", func(t *testing.T, s *suite) { s.holdsToTLS(t, clinicalMTLSHost) }},
}

func TestConformance_FAPI2_MutualTLS(t *testing.T) {
	t.Parallel()
	s := &suite{server: startServer(t, overMTLS)}
	s.run(t, mutualTLS)
}

func mtlsMetadata(t *testing.T, s *suite) {
	metadata := s.metadata(t)
	aliases, _ := metadata["mtls_endpoint_aliases"].(map[string]any)
	for name, path := range map[string]string{
		"token_endpoint": "/v1/oauth/token", "pushed_authorization_request_endpoint": "/v1/oauth/par", "userinfo_endpoint": "/v1/oauth/userinfo",
	} {
		if aliases[name] != identityMTLS+path {
			t.Errorf("mtls_endpoint_aliases has the %s %v", name, aliases[name])
		}
	}
	if metadata["tls_client_certificate_bound_access_tokens"] != true {
		t.Error("tls_client_certificate_bound_access_tokens is not true")
	}
}

// credential makes a certificate, and the flags that register it.
type credential func(t *testing.T, s *suite) (tls.Certificate, []string)

func named(t *testing.T, s *suite) (tls.Certificate, []string) {
	t.Helper()
	certificate := s.authority.client(t, &x509.Certificate{Subject: pkix.Name{CommonName: "morning", Organization: []string{"Morning Labs"}}})
	return certificate, []string{
		"--token-endpoint-auth-method", "tls_client_auth", "--tls-client-auth-subject-dn", certificate.Leaf.Subject.String(),
	}
}

func namedByDNS(t *testing.T, s *suite) (tls.Certificate, []string) {
	t.Helper()
	certificate := s.authority.client(t, &x509.Certificate{DNSNames: []string{"client.app.example"}})
	return certificate, []string{"--token-endpoint-auth-method", "tls_client_auth", "--tls-client-auth-san-dns", "client.app.example"}
}

func selfSigned(t *testing.T, _ *suite) (tls.Certificate, []string) {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: newSerial(t), Subject: pkix.Name{CommonName: "by itself"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	leaf := sign(t, template, template, key, key)
	certificate := tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{
		Key: certificate.Leaf.PublicKey, KeyID: "certificate", Use: "sig", Certificates: []*x509.Certificate{certificate.Leaf},
	}}}
	return certificate, []string{"--token-endpoint-auth-method", "self_signed_tls_client_auth", "--jwks-file", writeJSON(t, set)}
}

// client signs a certificate for a client.
func (a *authority) client(t *testing.T, template *x509.Certificate) tls.Certificate {
	t.Helper()
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return a.issue(t, template)
}

// presenting is the app as it is with this certificate; none: without.
func (a *app) presenting(t *testing.T, certificates ...tls.Certificate) *app {
	t.Helper()
	other := *a
	other.identity, other.clinical = identityMTLS, clinicalMTLS
	other.http = &http.Client{Transport: a.transport(t, certificates...), Timeout: a.http.Timeout}
	return &other
}

// newCertifiedApp registers a client of the profile that has nothing but a certificate.
func (s *suite) newCertifiedApp(t *testing.T, by credential) *app {
	t.Helper()
	certificate, flags := by(t, s)
	a := s.newApp(t, append(flags, "--profile", "fapi2", "--certificate-bound")...).presenting(t, certificate)
	a.authenticate = public
	return a
}

func byCertificate(by credential) func(*testing.T, *suite) {
	return func(t *testing.T, s *suite) {
		a := s.newCertifiedApp(t, by)
		_, got := a.pushedFlow(t, s.ada)
		a.boundToItsCertificate(t, got)
		a.boundToItsCertificate(t, a.refresh(t, got.Refresh).granted(t))
	}
}

// boundToItsCertificate holds a token to work with the app's certificate and with
// no other (RFC 8705 §3).
func (a *app) boundToItsCertificate(t *testing.T, got *tokens) {
	t.Helper()
	a.reads(t, got)
	userClaims(t, a.userInfo(t, http.MethodGet, got))
	another := a.authority.client(t, &x509.Certificate{Subject: pkix.Name{CommonName: "another"}})
	plain := a.presenting(t)
	plain.clinical = clinical
	for name, other := range map[string]*app{
		"another certificate": a.presenting(t, another), "no certificate": a.presenting(t), "the host that asks for none": plain,
	} {
		if answered := other.biomarkers(t, got); answered.StatusCode != http.StatusUnauthorized {
			t.Errorf("with %s: status %d, want 401: %s", name, answered.StatusCode, answered.body)
		}
	}
}

func byAssertionWithCertificate(t *testing.T, s *suite) {
	certificate, _ := selfSigned(t, s)
	a := s.newSigningApp(t, "--profile", "fapi2", "--certificate-bound").presenting(t, certificate)
	_, got := a.pushedFlow(t, s.ada)
	a.boundToItsCertificate(t, got)
}

func wrongCertificate(t *testing.T, s *suite) {
	for _, by := range []credential{named, namedByDNS, selfSigned} {
		a := s.newCertifiedApp(t, by)
		another := s.authority.client(t, &x509.Certificate{Subject: pkix.Name{CommonName: "another"}, DNSNames: []string{"another.example"}})
		for _, other := range []*app{a.presenting(t, another), a.presenting(t)} {
			other.pushForm(t, a.request().params).refused(t, http.StatusUnauthorized, "invalid_client")
			other.refresh(t, "none").refused(t, http.StatusUnauthorized, "invalid_client")
		}
	}
}
