package clientjwt

import (
	"context"
	"crypto"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loop-health/loop/internal/loop"
)

// algorithms are those with which clients sign what they send us (FAPI 2.0
// Security Profile §5.4.1): no RSASSA-PKCS1-v1_5, no shared secret, and never
// none.
var algorithms = []jose.SignatureAlgorithm{jose.PS256, jose.ES256, jose.EdDSA}

// Algorithms are the names of the algorithms that a client may sign with.
func Algorithms() []string {
	names := make([]string, len(algorithms))
	for i, algorithm := range algorithms {
		names[i] = string(algorithm)
	}
	return names
}

// MaxLength bounds a JWT, in bytes, before anything of it is decoded.
const MaxLength = 16 << 10

// MaxSkew is how far ahead of ours a client's clock may be: 8 seconds are
// common, a minute is a mistake (FAPI 2.0 Security Profile §5.3.2.1).
const MaxSkew = 15 * time.Second

// Fault is what is wrong with a JWT, as a clause that its sender may read.
type Fault string

// Error gives the clause.
func (f Fault) Error() string { return string(f) }

// Parse parses a compact JWS of one of the algorithms; a Fault where it is none.
// Nothing is verified yet.
func Parse(text string) (*jose.JSONWebSignature, error) {
	if len(text) > MaxLength {
		return nil, Fault("it is longer than 16 KiB")
	}
	parsed, err := jose.ParseSignedCompact(text, algorithms)
	if err != nil || len(parsed.Signatures) != 1 {
		return nil, Fault("it is not a JWT signed with PS256, ES256 or EdDSA")
	}
	for name := range parsed.Signatures[0].Protected.ExtraHeaders {
		if name == "crit" || name == "b64" {
			return nil, Fault("its header demands an extension that is not known here")
		}
	}
	return parsed, nil
}

// Open verifies a JWT with the client's registered keys and gives its payload; a
// Fault where it does not hold. The key comes from the registration alone:
// nothing in the header leads anywhere else (RFC 8725 §3.10). A typ, where there
// is one, is one of the types.
func (k *Keys) Open(ctx context.Context, client *loop.Client, text string, types ...string) ([]byte, error) {
	parsed, err := Parse(text)
	if err != nil {
		return nil, err
	}
	header := parsed.Signatures[0].Protected
	if _, given := header.ExtraHeaders[jose.HeaderType]; given && !IsType(header, types...) {
		return nil, Fault("it is a JWT of another kind (typ)")
	}
	var payload []byte
	verifies := func(set jose.JSONWebKeySet) bool {
		return slices.ContainsFunc(set.Keys, func(key jose.JSONWebKey) bool {
			if !usable(key, header) {
				return false
			}
			var err error
			payload, err = parsed.Verify(key.Key)
			return err == nil
		})
	}
	set, err := k.Of(ctx, client, verifies)
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", Fault("the client's keys could not be read, check its jwks_uri"), err)
	}
	if payload == nil && !verifies(set) {
		return nil, Fault("none of the client's registered keys verifies its signature")
	}
	return payload, nil
}

// IsType reports whether the header's typ is one of the types. A media type is
// compared without regard to case, and application/ may be left out (RFC 7515
// §4.1.9); a typ that is no text is none.
func IsType(header jose.Header, types ...string) bool {
	kind, ok := header.ExtraHeaders[jose.HeaderType].(string)
	if !ok {
		return false
	}
	const application = "application/"
	if len(kind) > len(application) && strings.EqualFold(kind[:len(application)], application) {
		kind = kind[len(application):]
	}
	return slices.ContainsFunc(types, func(one string) bool { return strings.EqualFold(kind, one) })
}

// usable reports whether a registered key may have made the signature.
func usable(key jose.JSONWebKey, header jose.Header) bool {
	return (header.KeyID == "" || key.KeyID == "" || key.KeyID == header.KeyID) &&
		(key.Use == "" || key.Use == "sig") &&
		(key.Algorithm == "" || key.Algorithm == header.Algorithm)
}

// Thumbprint is the SHA-256 thumbprint of a public key in base64url (RFC 7638).
func Thumbprint(key jose.JSONWebKey) (string, error) {
	sum, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}
