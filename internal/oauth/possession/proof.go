package possession

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/clientjwt"
)

// proofWindow is how far a proof's iat may be from our clock, on either side,
// and so how long its jti has to be remembered (RFC 9449 §11.1).
const proofWindow = 60 * time.Second

// dpopType is the typ of every proof (RFC 9449 §4.2).
const dpopType = "dpop+jwt"

// proofClaims are the claims of a proof (RFC 9449 §4.2).
type proofClaims struct {
	ID         string             `json:"jti"`
	Method     string             `json:"htm"`
	URL        string             `json:"htu"`
	IssuedAt   *clientjwt.Seconds `json:"iat"`
	TokenHash  string             `json:"ath"`
	Nonce      string             `json:"nonce"`
	thumbprint string
}

// Proof is a proof that holds, and is not used up yet: whose it is depends on a
// client or token that has to be judged first.
type Proof struct {
	Key    string // the thumbprint of the key (jkt)
	hash   [32]byte
	madeAt time.Time // since when it can have been accepted, at the earliest
}

// notBefore narrows since when a proof can have been accepted: since a moment that
// has to come first. A moment of a clock that was ahead says nothing.
func (p *Proof) notBefore(moment, now time.Time) {
	if moment.After(p.madeAt) && !moment.After(now) {
		p.madeAt = moment
	}
}

// Refused refuses the proof of a request for a reason, a clause that its sender may
// read.
func Refused(why string) *loop.Error {
	return loop.Errorf(loop.InvalidDPoPProof, "The DPoP proof is refused: %s.", why)
}

var errNeedsNonce = loop.Errorf(loop.UseDPoPNonce, "Make the DPoP proof again with the nonce of the DPoP-Nonce header.")

// Checker checks evidence. It is safe for concurrent use.
type Checker struct {
	World  loop.World
	Ring   *credential.Ring
	Memory *Memory
}

// Check checks the one proof of a request (RFC 9449 §4.3): InvalidDPoPProof or
// UseDPoPNonce where it does not hold. The access token is empty where none is
// presented. Call Use once all else of the request holds.
func (c *Checker) Check(sent Evidence, accessToken string) (*Proof, error) {
	if len(sent.Proofs) != 1 {
		return nil, Refused("send exactly one DPoP header")
	}
	claims, err := readProof(sent.Proofs[0])
	if err != nil {
		return nil, err
	}
	now := c.World.Now()
	htu := normalURL(claims.URL)
	switch {
	case claims.Method != sent.Method:
		return nil, Refused("htm must be the method of this request, " + sent.Method)
	case !slices.ContainsFunc(sent.URLs, func(own string) bool { return htu != "" && htu == normalURL(own) }):
		return nil, Refused("htu must be the address of this request, " + strings.Join(sent.URLs, " or "))
	case claims.ID == "" || len(claims.ID) > 256:
		return nil, Refused("it needs a jti of at most 256 characters")
	case claims.IssuedAt == nil:
		return nil, Refused("it has no iat")
	case claims.IssuedAt.Time().Sub(now).Abs() > proofWindow:
		return nil, Refused("its iat is not of now: make a proof for each request, and check your clock")
	case accessToken != "" && subtle.ConstantTimeCompare([]byte(claims.TokenHash), []byte(tokenHash(accessToken))) != 1:
		return nil, Refused("ath must be the SHA-256 of the access token, in base64url")
	}
	madeAt, err := c.proofAge(claims, now)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256([]byte(claims.thumbprint + " " + claims.ID))
	return &Proof{Key: claims.thumbprint, hash: hash, madeAt: madeAt}, nil
}

// proofAge is the moment since which the proof exists: that of the nonce in it,
// which we made, else its own word. One that is dated ahead of our clock could
// outlive the memory of its use, and says nothing.
func (c *Checker) proofAge(claims *proofClaims, now time.Time) (time.Time, error) {
	if claims.Nonce == "" {
		if claims.IssuedAt.After(now) {
			return time.Time{}, errNeedsNonce
		}
		return claims.IssuedAt.Time(), nil
	}
	madeAt, ok := c.openNonce(claims.Nonce)
	if !ok || !loop.Alive(now, madeAt, nonceLife+time.Microsecond) {
		return time.Time{}, errNeedsNonce
	}
	return madeAt, nil
}

// Use uses up the proof of a client's request, if it has one; InvalidDPoPProof
// where it was used before, UseDPoPNonce where that can't be known.
func (c *Checker) Use(client loop.ClientID, p *Proof) error {
	if p == nil {
		return nil
	}
	return usable(c.Memory.use(client, p, c.World.Now()))
}

// Unused reports, as an error of Use, that a proof can't be used; it uses nothing
// up.
func (c *Checker) Unused(client loop.ClientID, p *Proof) error {
	return usable(c.Memory.check(client, p, c.World.Now()))
}

// Once does what a request asks for, and has its proof used up by that: one whose
// request was refused is forgotten again, so that nobody fills the memory with
// what came to nothing. Where nobody knows what a request came to, its proof stays
// used. No proof of a client was accepted before the client was registered.
func (c *Checker) Once(client *loop.Client, p *Proof, do func() error) error {
	if p == nil {
		return do()
	}
	p.notBefore(client.CreatedAt, c.World.Now())
	if err := c.Use(client.ID, p); err != nil {
		return err
	}
	err := do()
	if err != nil && !errors.Is(err, loop.ErrOutcomeUnknown) {
		c.Memory.forget(client.ID, p)
	}
	return err
}

// usable turns what the memory says into an answer.
func usable(err error) error {
	if errors.Is(err, errUsed) {
		return Refused("it was used before; make a proof for each request")
	}
	return err
}

// readProof verifies a proof with the key that it brings: it proves nothing but
// that whoever sends it holds that key.
func readProof(text string) (*proofClaims, error) {
	parsed, err := clientjwt.Parse(text)
	if err != nil {
		return nil, Refused(err.Error())
	}
	header := parsed.Signatures[0].Protected
	key := header.JSONWebKey
	switch {
	case !clientjwt.IsType(header, dpopType):
		return nil, Refused("its typ is not dpop+jwt")
	case key == nil:
		return nil, Refused("its header has no jwk")
	case !key.IsPublic():
		return nil, Refused("its jwk holds a private key, which must never be sent")
	}
	if err := clientjwt.CheckPublicKey(key.Key); err != nil {
		return nil, Refused("its jwk " + err.Error())
	}
	payload, err := parsed.Verify(key.Key)
	if err != nil {
		return nil, Refused("its signature is not that of its jwk")
	}
	claims := &proofClaims{}
	if err := clientjwt.DecodeClaims(payload, claims); err != nil {
		return nil, Refused("its claims are not well formed")
	}
	claims.thumbprint, err = clientjwt.Thumbprint(*key)
	return claims, err
}

// tokenHash is the ath of an access token (RFC 9449 §4.2).
func tokenHash(accessToken string) string {
	sum := sha256.Sum256([]byte(accessToken))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
