package credential

import "encoding/base64"

// Sealer seals texts for one purpose: a ring with its purpose chosen.
type Sealer struct {
	Ring    *Ring
	Purpose Purpose
}

// Seal encrypts and authenticates the plaintext, as base64url.
func (s Sealer) Seal(plaintext []byte) string {
	return base64.RawURLEncoding.EncodeToString(s.Ring.Seal(s.Purpose, plaintext))
}

// Open gives the plaintext of what Seal made; else ErrNotSealed.
func (s Sealer) Open(text string) ([]byte, error) {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, ErrNotSealed
	}
	plaintext, _, err := s.Ring.Open(s.Purpose, sealed)
	return plaintext, err
}
