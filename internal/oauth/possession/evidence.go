package possession

import "crypto/x509"

// Evidence is what a request brings to prove what its sender holds.
type Evidence struct {
	Method       string              // of HTTP
	URLs         []string            // under which this address is reached, without query
	Proofs       []string            // the values of the DPoP header
	Certificates []*x509.Certificate // that the connection's other end proved, leaf first
}
