package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"

	"github.com/loop-health/loop/internal/loop"
)

// CodeChallenge is the S256 transform of a code verifier: 43 characters of
// base64url without padding (RFC 7636 §4.2).
type CodeChallenge string

// parseCodeChallenge reads code_challenge.
func parseCodeChallenge(challenge string) (CodeChallenge, error) {
	if challenge == "" {
		return "", loop.Errorf(loop.InvalidRequest, "The code_challenge is missing. Every request needs PKCE: send BASE64URL(SHA256(code_verifier)) and code_challenge_method=S256.").About("code_challenge")
	}
	digest, err := base64.RawURLEncoding.Strict().DecodeString(challenge)
	if err != nil || len(digest) != sha256.Size {
		return "", loop.Errorf(loop.InvalidRequest, "The code_challenge must be the SHA-256 of the code verifier in base64url without padding: 43 characters.").About("code_challenge")
	}
	return CodeChallenge(challenge), nil
}

// checkVerifierForm checks the form of a code verifier: 43 to 128 characters of
// the unreserved set (RFC 7636 §4.1).
func checkVerifierForm(verifier string) error {
	const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	if len(verifier) < 43 || len(verifier) > 128 ||
		strings.IndexFunc(verifier, func(r rune) bool { return !strings.ContainsRune(unreserved, r) }) >= 0 {
		return loop.Errorf(loop.InvalidRequest, "The code_verifier must be 43 to 128 characters out of A-Z a-z 0-9 - . _ ~.").About("code_verifier")
	}
	return nil
}

// metBy reports, in constant time, whether the verifier is the challenge's (RFC
// 7636 §4.6).
func (c CodeChallenge) metBy(verifier string) bool {
	digest := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(digest[:])), []byte(c)) == 1
}
