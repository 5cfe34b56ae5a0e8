package conformance

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"
)

// proof makes a DPoP proof for one request (RFC 9449 §4.2).
func (a *app) proof(t *testing.T, method, address string, changes ...change) string {
	t.Helper()
	j := &jwt{
		header: map[string]any{"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk(t, a.dpop.Public())},
		claims: map[string]any{"jti": rand.Text(), "htm": method, "htu": address, "iat": time.Now().Unix()},
		key:    a.dpop,
	}
	return j.text(t, changes...)
}

// forToken binds a proof to the access token beside it.
func forToken(access string) change {
	sum := sha256.Sum256([]byte(access))
	return claim("ath", base64.RawURLEncoding.EncodeToString(sum[:]))
}

// ask sends a request with an access token, as its kind demands, and with further
// headers; once more with the server's nonce where it wants one (RFC 9449 §9).
func (a *app) ask(t *testing.T, method, address, access string, extra http.Header) shown {
	t.Helper()
	if a.dpop == nil {
		return a.present(t, method, address, "Bearer "+access, "", extra)
	}
	answered := a.present(t, method, address, "DPoP "+access, a.proof(t, method, address, forToken(access)), extra)
	if nonce, wanted := wantsNonce(answered); wanted {
		proof := a.proof(t, method, address, forToken(access), claim("nonce", nonce))
		return a.present(t, method, address, "DPoP "+access, proof, extra)
	}
	return answered
}

// present sends a request with just this Authorization and this proof.
func (a *app) present(t *testing.T, method, address, authorization, proof string, extra http.Header) shown {
	t.Helper()
	header := extra.Clone()
	if header == nil {
		header = make(http.Header)
	}
	header.Set("Authorization", authorization)
	if proof != "" {
		header.Set("DPoP", proof)
	}
	return fetch(t, a.http, method, address, header, "")
}

// wantsNonce reads a demand for the server's nonce, from the body or, of a
// resource, from the challenge.
func wantsNonce(answered shown) (nonce string, wanted bool) {
	said := answered.body + answered.Header.Get("WWW-Authenticate")
	nonce = answered.Header.Get("DPoP-Nonce")
	return nonce, nonce != "" && strings.Contains(said, "use_dpop_nonce")
}
