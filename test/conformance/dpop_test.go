package conformance

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
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

// proving sends a request with a proof; once more with the server's nonce where it
// wants one (RFC 9449 §8, §9): it does so too where the proof could be older than
// its memory of proofs. It gives the proof that counted.
func (a *app) proving(t *testing.T, method, address string, send func(proof string) shown, changes ...change) (string, shown) {
	t.Helper()
	proof := a.proof(t, method, address, changes...)
	answered := send(proof)
	if nonce, wanted := wantsNonce(answered); wanted {
		proof = a.proof(t, method, address, append(slices.Clone(changes), claim("nonce", nonce))...)
		answered = send(proof)
	}
	return proof, answered
}

// ask sends a request with an access token, as its kind demands, and with further
// headers.
func (a *app) ask(t *testing.T, method, address, access string, extra http.Header) shown {
	t.Helper()
	if a.dpop == nil {
		return a.present(t, method, address, "Bearer "+access, "", extra)
	}
	_, answered := a.proving(t, method, address, func(proof string) shown {
		return a.present(t, method, address, "DPoP "+access, proof, extra)
	}, forToken(access))
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
