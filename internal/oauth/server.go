package oauth

import (
	"log/slog"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/clientauth"
	"github.com/loop-health/loop/internal/oauth/clientjwt"
	"github.com/loop-health/loop/internal/oauth/possession"
)

// Server is the authorization server's rules with what they need.
type Server struct {
	Issuer       string          // identity's public URL, byte for byte
	OwnResources []string        // this platform's own: identity's and clinical's public URLs
	Resources    []loop.Resource // outside this platform, as the operator names them

	World       loop.World
	Ring        *credential.Ring
	Tokens      *Verifier
	Signing     *credential.SigningKeys
	Ledger      Ledger
	Pushed      PushedRequests
	Epochs      Epochs
	Clients     *clientauth.Authenticator
	ClientKeys  *clientjwt.Keys // by which request objects are signed
	Possession  *possession.Checker
	Revocations *Revocations
	Log         *slog.Logger

	// CertificateURL is where clients with a certificate reach identity (RFC
	// 8705 §5); empty: nowhere.
	CertificateURL string
}

// Addresses are the URLs under which an endpoint of ours is reached: the public
// one, and the one for clients with certificates.
func (s *Server) Addresses(path string) []string {
	if s.CertificateURL == "" {
		return []string{s.Issuer + path}
	}
	return []string{s.Issuer + path, s.CertificateURL + path}
}
