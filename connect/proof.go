package connect

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"
)

// proofs makes the proofs that a request comes from whom a token was given to (DPoP,
// RFC 9449), with the nonce that each host asked for last.
type proofs struct {
	key *Key
	now func() time.Time

	mu     sync.Mutex
	nonces map[string]string // by host
}

func newProofs(key *Key, now func() time.Time) *proofs {
	return &proofs{key: key, now: now, nonces: make(map[string]string)}
}

// proofClaims are those of RFC 9449 §4.2.
type proofClaims struct {
	jwt.Claims
	Method string `json:"htm"`
	URL    string `json:"htu"`
	Token  string `json:"ath,omitempty"`
	Nonce  string `json:"nonce,omitempty"`
}

// put puts a proof into a request, for the access token that it carries.
func (p *proofs) put(r *http.Request, access Secret) error {
	claims := proofClaims{
		Claims: jwt.Claims{ID: randomText(), IssuedAt: jwt.NewNumericDate(p.now())},
		Method: r.Method, URL: (&url.URL{Scheme: r.URL.Scheme, Host: r.URL.Host, Path: r.URL.Path}).String(), Nonce: p.nonce(r.URL.Host),
	}
	if access != "" {
		sum := sha256.Sum256([]byte(access))
		claims.Token = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	text, err := jwt.Signed(p.key.plain).Claims(claims).Serialize()
	if err != nil {
		return fmt.Errorf("making a DPoP proof: %w", err)
	}
	r.Header.Set("DPoP", text)
	return nil
}

func (p *proofs) nonce(host string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.nonces[host]
}

// heed keeps the nonce of an answer for the next proof, and reports whether it is the
// reason why the request was refused (RFC 9449 §8).
func (p *proofs) heed(response *http.Response) (again bool) {
	nonce := response.Header.Get("DPoP-Nonce")
	if nonce == "" {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	host := response.Request.URL.Host
	isNew := p.nonces[host] != nonce
	p.nonces[host] = nonce
	return isNew && (response.StatusCode == http.StatusUnauthorized || response.StatusCode == http.StatusBadRequest)
}
