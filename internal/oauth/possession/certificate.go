package possession

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
)

// Thumbprint is the x5t#S256 of a certificate (RFC 8705 §3.1).
func Thumbprint(leaf *x509.Certificate) string {
	sum := sha256.Sum256(leaf.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
