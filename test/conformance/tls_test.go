package conformance

import (
	"crypto/tls"
	"strings"
	"testing"
)

// TestConformance_FAPI2_TLS: version 1.2 with forward secrecy and authenticated
// encryption, and 1.3 (FAPI 2.0 Security Profile §5.2.1, BCP 195).
func TestConformance_FAPI2_TLS(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	for _, name := range []string{identityHost, clinicalHost, developersHost} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s.holdsToTLS(t, name)
		})
	}
}

func (s *server) holdsToTLS(t *testing.T, name string) {
	t.Helper()
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		if s.handshakes(t, name, &tls.Config{MinVersion: version, MaxVersion: version}) {
			t.Errorf("%s is accepted", tls.VersionName(version))
		}
	}
	if !s.handshakes(t, name, &tls.Config{MinVersion: tls.VersionTLS13}) {
		t.Error("TLS 1.3 is refused")
	}
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if suite.SupportedVersions[0] == tls.VersionTLS13 || strings.HasPrefix(suite.Name, "TLS_ECDHE_RSA") {
			continue // always on; not for a certificate with an elliptic curve
		}
		good := strings.HasPrefix(suite.Name, "TLS_ECDHE_") && (strings.Contains(suite.Name, "_GCM_") || strings.Contains(suite.Name, "CHACHA20"))
		accepted := s.handshakes(t, name, &tls.Config{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite.ID}})
		if accepted != good {
			t.Errorf("TLS 1.2 with %s is accepted: %t", suite.Name, accepted)
		}
	}
}

// handshakes tries to connect with just this configuration.
func (s *server) handshakes(t *testing.T, name string, config *tls.Config) bool {
	t.Helper()
	config.RootCAs, config.ServerName = s.authority.pool(), name
	connection, err := (&tls.Dialer{Config: config}).DialContext(t.Context(), "tcp", s.hosts[name])
	if err != nil {
		return false
	}
	_ = connection.Close()
	return true
}
