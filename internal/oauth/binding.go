package oauth

import (
	"crypto/x509"
	"strings"

	"github.com/loop-health/loop/internal/loop"
)

// Binding is what an access token is bound to, so that it is of no use to a
// thief (RFC 7800 §3.1): a DPoP key, a client certificate, or nothing.
type Binding struct {
	Key         string `json:"jkt,omitempty"`      // thumbprint of the DPoP key (RFC 9449 §6.1)
	Certificate string `json:"x5t#S256,omitempty"` // thumbprint of the certificate (RFC 8705 §3.1)
}

// none reports whether the token is a bearer token.
func (b Binding) none() bool { return b == Binding{} }

// holder names in one word who holds what is bound; empty: anybody.
func (b Binding) holder() string {
	if b.Certificate != "" {
		return "x5t#S256 " + b.Certificate
	}
	return b.Key
}

// tokenType is how the token is presented (RFC 9449 §5, RFC 6750 §2.1).
func (b Binding) tokenType() string {
	if b.Key != "" {
		return "DPoP"
	}
	return "Bearer"
}

// bind finds what the tokens of this request will be bound to, and uses the
// request's proof up. A client that registered bound tokens gets no others.
func (s *Server) bind(client *loop.Client, req ClientRequest) (Binding, error) {
	var b Binding
	switch {
	case len(req.Proofs) > 0:
		proof, err := s.checkProof(req.Proofs, req.Method, s.addresses(req.Path), "")
		if err != nil {
			return b, err
		}
		if err := s.useProof(proof); err != nil {
			return b, err
		}
		b.Key = proof.Key
	case client.Protocol.DPoPBound && !client.Protocol.CertificateBound:
		return b, badProof("this client's tokens are bound to a key: send a DPoP proof")
	case client.Protocol.DPoPBound && len(req.Certificates) == 0:
		return b, badProof("this client's tokens are bound: send a DPoP proof, or a client certificate")
	}
	if client.Protocol.CertificateBound && b.Key == "" {
		if len(req.Certificates) == 0 {
			return b, loop.Errorf(loop.InvalidRequest, "This client's tokens are bound to its certificate, and the connection brought none. Use the addresses in mtls_endpoint_aliases of the discovery document.")
		}
		b.Certificate = certificateThumbprint(req.Certificates[0])
	}
	return b, nil
}

// addresses are the URLs under which an endpoint of ours is reached: the public
// one, and the one for clients with certificates.
func (s *Server) addresses(path string) []string {
	if s.CertificateURL == "" {
		return []string{s.Issuer + path}
	}
	return []string{s.Issuer + path, s.CertificateURL + path}
}

// Presented is an access token as a request to a resource brings it.
type Presented struct {
	Scheme       string // Bearer or DPoP, as it was written
	Token        string
	Proofs       []string // the values of the DPoP header
	Certificates []*x509.Certificate
	Method       string   // of the request
	URLs         []string // under which this address is reached, without query
	Resource     string   // what is asked for: the host's public address
}

// Admit judges an access token as it is presented: good now, meant for this
// resource, and held by whom it was given to. InvalidToken, InvalidDPoPProof or
// UseDPoPNonce otherwise; a bound token never falls back to a bearer token
// (RFC 9449 §7.2).
func (s *Server) Admit(p Presented) (AccessToken, error) {
	token, err := s.VerifyAccessToken(p.Token)
	if err != nil {
		return AccessToken{}, err
	}
	if !token.meantFor(p.Resource) {
		return AccessToken{}, loop.Errorf(loop.InvalidToken, "The access token is meant for another resource. Ask for one with resource=%s.", p.Resource)
	}
	return token, s.held(token, p)
}

// held proves that whoever presents a bound token holds what it is bound to.
func (s *Server) held(token AccessToken, p Presented) error {
	byDPoP := strings.EqualFold(p.Scheme, "DPoP")
	switch {
	case token.Binding.Key != "" && !byDPoP:
		return loop.Errorf(loop.InvalidToken, "The access token is bound to a key. Send it as Authorization: DPoP TOKEN, with a proof.")
	case token.Binding.Key == "" && byDPoP:
		return loop.Errorf(loop.InvalidToken, "The access token is not bound to a key. Send it as Authorization: Bearer TOKEN.")
	case token.Binding.Certificate != "":
		if len(p.Certificates) == 0 || certificateThumbprint(p.Certificates[0]) != token.Binding.Certificate {
			return loop.Errorf(loop.InvalidToken, "The access token is bound to a client certificate, and this connection did not bring that one. Use the certificate of the token request, at the addresses for certificates.")
		}
	}
	if !byDPoP {
		return nil
	}
	proof, err := s.checkProof(p.Proofs, p.Method, p.URLs, p.Token)
	if err != nil {
		return err
	}
	if proof.Key != token.Binding.Key {
		return loop.Errorf(loop.InvalidToken, "The access token is bound to another key than the proof's. Make the proof with the key of the token request.")
	}
	return s.useProof(proof)
}
