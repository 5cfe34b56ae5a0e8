package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// proofWindow is how far a proof's iat may be from our clock, on either side,
// and so how long its jti has to be remembered (RFC 9449 §11.1).
const proofWindow = 60 * time.Second

// nonceLife is how long a nonce of ours can be used (RFC 9449 §8).
const nonceLife = 30 * time.Second

// maxProofs bounds the memory of proofs: what comes when it is full is refused,
// since a proof that was forgotten early could be used again.
const maxProofs = 1 << 19

// Proofs remembers which DPoP proofs this process has seen. Another replica has
// a memory of its own: what remains is said in the documentation, on the page
// Security. Safe for concurrent use.
type Proofs struct {
	// Since is when the memory begins; an older proof may have been used before.
	Since time.Time

	mu   sync.Mutex
	seen map[[32]byte]time.Time // until when
	swep time.Time
}

// NewProofs begins to remember.
func NewProofs(now time.Time) *Proofs {
	return &Proofs{Since: now, seen: map[[32]byte]time.Time{}, swep: now}
}

// use notes a proof; ErrUsed where it was seen before, TemporarilyUnavailable
// where there is no room to remember it.
func (p *Proofs) use(hash [32]byte, now, until time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.swep) >= proofWindow || len(p.seen) >= maxProofs {
		for known, end := range p.seen {
			if !now.Before(end) {
				delete(p.seen, known)
			}
		}
		p.swep = now
	}
	if end, known := p.seen[hash]; known && now.Before(end) {
		return ErrUsed
	}
	if len(p.seen) >= maxProofs {
		full := loop.Errorf(loop.TemporarilyUnavailable, "Too many DPoP proofs are being used at this moment. Try again with a new proof.")
		full.RetryAfter = time.Second
		return full
	}
	p.seen[hash] = until
	return nil
}

// dpopType is the typ of every proof (RFC 9449 §4.2).
const dpopType = "dpop+jwt"

// proofClaims are the claims of a proof (RFC 9449 §4.2).
type proofClaims struct {
	ID         string   `json:"jti"`
	Method     string   `json:"htm"`
	URL        string   `json:"htu"`
	IssuedAt   *seconds `json:"iat"`
	TokenHash  string   `json:"ath"`
	Nonce      string   `json:"nonce"`
	thumbprint string
}

// proven is a proof that was checked but not yet used up: whose it is depends on
// a client or token that has to be judged first.
type proven struct {
	Key   string // the thumbprint of the key (jkt)
	hash  [32]byte
	until time.Time
}

func badProof(why string) *loop.Error {
	return loop.Errorf(loop.InvalidDPoPProof, "The DPoP proof is refused: %s.", why)
}

var errNeedsNonce = loop.Errorf(loop.UseDPoPNonce, "Make the DPoP proof again with the nonce of the DPoP-Nonce header.")

// checkProof checks the one proof of a request (RFC 9449 §4.3). The access token
// is empty where none is presented. Call use once client and token hold.
func (s *Server) checkProof(proofs []string, method string, urls []string, accessToken string) (*proven, error) {
	if len(proofs) != 1 {
		return nil, badProof("send exactly one DPoP header")
	}
	claims, err := readProof(proofs[0])
	if err != nil {
		return nil, err
	}
	now := s.World.Now()
	switch {
	case claims.Method != method:
		return nil, badProof("htm must be the method of this request, " + method)
	case !slices.ContainsFunc(urls, func(own string) bool { return sameURL(claims.URL, own) }):
		return nil, badProof("htu must be the address of this request, " + strings.Join(urls, " or "))
	case claims.ID == "" || len(claims.ID) > 256:
		return nil, badProof("it needs a jti of at most 256 characters")
	case claims.IssuedAt == nil:
		return nil, badProof("it has no iat")
	case claims.IssuedAt.Time().Sub(now).Abs() > proofWindow:
		return nil, badProof("its iat is not of now: make a proof for each request, and check your clock")
	case accessToken != "" && subtle.ConstantTimeCompare([]byte(claims.TokenHash), []byte(tokenHash(accessToken))) != 1:
		return nil, badProof("ath must be the SHA-256 of the access token, in base64url")
	}
	madeAt, err := s.proofAge(claims, now)
	if err != nil {
		return nil, err
	}
	if madeAt.Before(s.Proofs.Since) {
		return nil, errNeedsNonce // it may have been used before this process began to remember
	}
	hash := sha256.Sum256([]byte(claims.thumbprint + " " + claims.ID))
	return &proven{Key: claims.thumbprint, hash: hash, until: now.Add(2 * proofWindow)}, nil
}

// proofAge is the moment since which the proof exists: that of the nonce in it,
// which we made, else its own word. One that is dated ahead of our clock could
// outlive the memory of its use, and says nothing.
func (s *Server) proofAge(claims *proofClaims, now time.Time) (time.Time, error) {
	if claims.Nonce == "" {
		if claims.IssuedAt.after(now) {
			return time.Time{}, errNeedsNonce
		}
		return claims.IssuedAt.Time(), nil
	}
	madeAt, ok := s.openNonce(claims.Nonce)
	if !ok || now.Sub(madeAt) > nonceLife {
		return time.Time{}, errNeedsNonce
	}
	return madeAt, nil
}

// useProof uses a proof up.
func (s *Server) useProof(p *proven) error {
	err := s.Proofs.use(p.hash, s.World.Now(), p.until)
	if err == ErrUsed { //nolint:errorlint // our own value, never wrapped
		return badProof("it was used before; make a proof for each request")
	}
	return err
}

// readProof verifies a proof with the key that it brings: it proves nothing but
// that whoever sends it holds that key.
func readProof(text string) (*proofClaims, error) {
	parsed, err := parseJWT(text)
	if err != nil {
		return nil, badProof(err.Error())
	}
	header := parsed.Signatures[0].Protected
	key := header.JSONWebKey
	kind, _ := header.ExtraHeaders[jose.HeaderType].(string)
	switch {
	case kind != dpopType:
		return nil, badProof("its typ is not dpop+jwt")
	case key == nil:
		return nil, badProof("its header has no jwk")
	case !key.IsPublic():
		return nil, badProof("its jwk holds a private key, which must never be sent")
	}
	if err := checkPublicKey(key.Key); err != nil {
		return nil, badProof("its jwk " + err.Error())
	}
	payload, err := parsed.Verify(key.Key)
	if err != nil {
		return nil, badProof("its signature is not that of its jwk")
	}
	claims := &proofClaims{}
	if err := decodeClaims(payload, claims); err != nil {
		return nil, badProof("its claims are not well formed")
	}
	claims.thumbprint, err = thumbprint(*key)
	return claims, err
}

// sameURL compares htu with an address of ours: without query and fragment, host
// and scheme without regard to case (RFC 9449 §4.3, RFC 3986 §6.2).
func sameURL(sent, own string) bool {
	parsed, err := url.Parse(sent)
	if err != nil || parsed.User != nil {
		return false
	}
	host := strings.ToLower(parsed.Host)
	scheme := strings.ToLower(parsed.Scheme)
	if scheme == "https" {
		host = strings.TrimSuffix(host, ":443")
	}
	return scheme+"://"+host+parsed.EscapedPath() == own
}

// tokenHash is the ath of an access token (RFC 9449 §4.2).
func tokenHash(accessToken string) string {
	sum := sha256.Sum256([]byte(accessToken))
	return base64url(sum[:])
}

// NewNonce makes a nonce: the sealed time, so that nothing has to be kept.
func (s *Server) NewNonce() string {
	var p packer
	p.text("dpop nonce")
	p.moment(s.World.Now())
	return s.sealer(credential.ForTickets).Seal(p)
}

func (s *Server) openNonce(text string) (madeAt time.Time, ok bool) {
	u, ok := s.unseal(credential.ForTickets, text)
	if !ok || u.text() != "dpop nonce" {
		return time.Time{}, false
	}
	madeAt = u.moment()
	return madeAt, u.done()
}

// ProofAlgorithms are those that a proof may be signed with.
func ProofAlgorithms() []string {
	return names(clientAlgorithms)
}
