package oauth

import (
	"crypto/x509"
	"log/slog"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// Server is the authorization server's rules with what they need.
type Server struct {
	Issuer       string          // identity's public URL, byte for byte
	OwnResources []string        // this platform's own: identity's and clinical's public URLs
	Resources    []loop.Resource // outside this platform, as the operator names them

	World       loop.World
	Ring        *credential.Ring
	Signing     *credential.SigningKeys
	Ledger      Ledger
	Assertions  Assertions
	Pushed      PushedRequests
	Logouts     Logouts
	Epochs      Epochs
	ClientKeys  *ClientKeys
	Proofs      *Proofs
	Revocations *Revocations
	Log         *slog.Logger

	// CertificateURL is where clients with a certificate reach identity (RFC
	// 8705 §5); empty: nowhere.
	CertificateURL string
	// ClientAuthorities are those whose certificates tls_client_auth takes; nil: none.
	ClientAuthorities *x509.CertPool
}
