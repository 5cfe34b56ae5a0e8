package conformance

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// fetching lets the platform call servers of this test: its machine trusts their
// authority, and it may reach localhost.
func fetching(t *testing.T, s *server) {
	t.Helper()
	s.settings = append(s.settings, "LOOP_FETCH_ALLOWED_HOSTS=localhost", "SSL_CERT_FILE="+s.authority.file(t))
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
