package pagetest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// Verifier is a fresh code verifier (RFC 7636 §4.1).
func Verifier() string {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// Challenge is a verifier's S256 code challenge (RFC 7636 §4.2).
func Challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
