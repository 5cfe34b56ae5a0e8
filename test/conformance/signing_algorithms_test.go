package conformance

import (
	"slices"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// TestConformance_SigningAlgorithms is for clients that registered an algorithm
// of their own.
func TestConformance_SigningAlgorithms(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	t.Run("oidcc-discovery-endpoint-verification", func(t *testing.T) {
		t.Parallel()
		if offered := s.metadata(t).texts("id_token_signing_alg_values_supported"); !slices.Contains(offered, "RS256") {
			t.Errorf("id_token_signing_alg_values_supported is %v, without RS256 (OpenID Connect Discovery §3)", offered)
		}
	})
	for _, algorithm := range []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.PS256, jose.EdDSA} {
		t.Run("oidcc-idtoken-signature of a client that registered "+string(algorithm), func(t *testing.T) {
			t.Parallel()
			a := s.newApp(t, "--id-token-alg", string(algorithm))
			b := s.browser(t)
			first := a.flow(t, b, a.request(), s.ada)
			for _, got := range []*tokens{first, a.refresh(t, first.Refresh).granted(t)} {
				a.idToken(t, got)
				if header, _ := a.jwt(t, got.ID); header.Algorithm != string(algorithm) {
					t.Errorf("the ID token is signed with %s", header.Algorithm)
				}
			}
			b.silently(t, a.request("prompt", "none", "id_token_hint", first.ID)).code(t)
		})
	}
}
