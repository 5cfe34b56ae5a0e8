package conformance

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// fetching lets the platform call servers of this test.
func fetching(t *testing.T, s *server) {
	t.Helper()
	trusting(t, s)
	s.settings = append(s.settings, "LOOP_FETCH_ALLOWED_HOSTS=localhost")
}

// trusting makes this test's authority one that the platform's machine trusts.
func trusting(t *testing.T, s *server) {
	t.Helper()
	s.settings = append(s.settings, "SSL_CERT_FILE="+writePEM(t, t.TempDir(), "authority.pem", "CERTIFICATE", s.authority.certificate.Raw))
}

// serve runs a server of an app's that the platform calls, and gives its address.
func (s *server) serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	called := httptest.NewUnstartedServer(handler)
	called.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{s.authority.server(t, "localhost")}}
	called.StartTLS()
	t.Cleanup(called.Close)
	_, port, err := net.SplitHostPort(called.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return "https://localhost:" + port
}
