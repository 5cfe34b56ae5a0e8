package oauth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loop-health/loop/internal/loop"
)

// Bounds of a client's key set.
const (
	maxKeySetBytes = 32 << 10
	maxClientKeys  = 20
	minRSABits     = 2048
)

// ParseClientKeys reads a client's public keys (RFC 7517 §5). A private or
// symmetric part, an empty set, too many keys and keys that are not used here are
// errors: what the client keeps to itself must never come here.
func ParseClientKeys(raw []byte) (jose.JSONWebKeySet, error) {
	set, unusable, err := readKeySet(raw)
	if err == nil {
		err = unusable
	}
	return set, err
}

// readKeySet reads the keys of a set that are used here. Why the first of the
// others is not, unusable says: at registration that is a mistake, in a document
// that others read too it is passed over (RFC 7517 §5).
func readKeySet(raw []byte) (set jose.JSONWebKeySet, unusable, err error) {
	var sent struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if len(raw) > maxKeySetBytes {
		return set, nil, fmt.Errorf("it is larger than %d bytes", maxKeySetBytes)
	}
	if err := decodeClaims(raw, &sent); err != nil {
		return set, nil, errors.New(`it is not a JSON object such as {"keys": [...]}`)
	}
	if len(sent.Keys) == 0 || len(sent.Keys) > maxClientKeys {
		return set, nil, fmt.Errorf("it needs 1 to %d keys", maxClientKeys)
	}
	for i, text := range sent.Keys {
		key, fault := readClientKey(text)
		switch {
		case errors.Is(fault, errSecretKey):
			return set, nil, fmt.Errorf("key %d %w", i+1, fault)
		case fault == nil:
			set.Keys = append(set.Keys, key)
		case unusable == nil:
			unusable = fmt.Errorf("key %d %w", i+1, fault)
		}
	}
	return set, unusable, nil
}

var errSecretKey = errors.New("holds a private or a symmetric key, which must never be sent")

func readClientKey(text []byte) (jose.JSONWebKey, error) {
	var key jose.JSONWebKey
	if err := key.UnmarshalJSON(text); err != nil {
		return key, errors.New("is not well formed, or of a kind that is not used here")
	}
	if !key.IsPublic() {
		return key, errSecretKey
	}
	return key, checkPublicKey(key.Key)
}

// checkPublicKey accepts public keys that the algorithms on offer can use.
func checkPublicKey(key any) error {
	switch public := key.(type) {
	case *ecdsa.PublicKey:
		if public.Curve != elliptic.P256() {
			return errors.New("is not on the curve P-256")
		}
	case ed25519.PublicKey:
	case *rsa.PublicKey:
		if public.N.BitLen() < minRSABits { // and more than 4096 go-jose does not read
			return fmt.Errorf("is shorter than %d bits", minRSABits)
		}
	default:
		return errors.New("is not a public key of a kind that is used here: EC on P-256, Ed25519 or RSA, without any private part")
	}
	return nil
}

// Fetcher gets documents from outside.
type Fetcher interface {
	// Get fetches a document of one of the content types; an error tells why
	// there is none.
	Get(ctx context.Context, address string, accept ...string) ([]byte, error)
}

// ClientKeys finds the public keys of clients: those registered, and those
// behind a jwks_uri, which it keeps for a while. Safe for concurrent use.
type ClientKeys struct {
	Fetcher Fetcher
	World   loop.World

	mu      sync.Mutex
	fetched map[string]*fetchedKeys // by jwks_uri
}

// fetchedKeys is a key set that was fetched.
type fetchedKeys struct {
	fetching sync.Mutex // one fetch at a time for one address

	mu      sync.Mutex // guards what follows
	set     jose.JSONWebKeySet
	goodFor time.Time // until when the set is used
	triedAt time.Time
	err     error // of the last try
}

// How long fetched keys are used, and how soon an unknown key may have them
// fetched again: a stranger who sends made-up ones causes little traffic.
const (
	keySetLife      = 10 * time.Minute
	keySetRefetch   = 30 * time.Second
	maxFetchedSets  = 10_000
	contentTypeJWKS = "application/jwk-set+json"
	contentTypeJSON = "application/json"
)

// errNoKeys is answered for a client that registered none.
var errNoKeys = errors.New("the client has no keys registered")

// Of gives the client's keys; where they are fetched, the set is renewed once if
// it has not what is looked for. A renewal that fails takes nothing away.
func (k *ClientKeys) Of(ctx context.Context, client *loop.Client, has func(jose.JSONWebKeySet) bool) (jose.JSONWebKeySet, error) {
	switch {
	case client.Protocol.KeySet != nil:
		return ParseClientKeys(client.Protocol.KeySet)
	case client.Protocol.KeySetURI == "":
		return jose.JSONWebKeySet{}, errNoKeys
	}
	kept := k.slot(client.Protocol.KeySetURI)
	if set, ok := kept.holding(has, k.World.Now()); ok {
		return set, nil
	}
	kept.fetching.Lock()
	defer kept.fetching.Unlock()
	now := k.World.Now()
	if set, ok := kept.holding(has, now); ok {
		return set, nil // somebody else has just fetched it
	}
	if now.Sub(kept.triedAt) >= keySetRefetch {
		// Whoever asks may be a stranger, and hang up.
		set, err := k.fetch(context.WithoutCancel(ctx), client.Protocol.KeySetURI)
		kept.keep(set, err, k.World.Now())
	}
	return kept.now(k.World.Now())
}

// holding gives the set if it is good and has what is looked for.
func (f *fetchedKeys) holding(has func(jose.JSONWebKeySet) bool, now time.Time) (jose.JSONWebKeySet, bool) {
	f.mu.Lock()
	set, good := f.set, now.Before(f.goodFor)
	f.mu.Unlock()
	return set, good && has(set)
}

// keep notes what a fetch came to.
func (f *fetchedKeys) keep(set jose.JSONWebKeySet, err error, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.triedAt, f.err = now, err
	if err == nil {
		f.set, f.goodFor = set, now.Add(keySetLife)
	}
}

// now gives the set while it is good, else why there is none.
func (f *fetchedKeys) now(now time.Time) (jose.JSONWebKeySet, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now.Before(f.goodFor) {
		return f.set, nil
	}
	return jose.JSONWebKeySet{}, f.err
}

// slot is the place of an address in memory. A full memory is emptied: what is
// still needed is fetched again.
func (k *ClientKeys) slot(address string) *fetchedKeys {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fetched == nil || len(k.fetched) >= maxFetchedSets {
		k.fetched = map[string]*fetchedKeys{}
	}
	if k.fetched[address] == nil {
		k.fetched[address] = &fetchedKeys{}
	}
	return k.fetched[address]
}

func (k *ClientKeys) fetch(ctx context.Context, address string) (jose.JSONWebKeySet, error) {
	body, err := k.Fetcher.Get(ctx, address, contentTypeJWKS, contentTypeJSON)
	if err != nil {
		return jose.JSONWebKeySet{}, fmt.Errorf("fetching the client's keys: %w", err)
	}
	set, unusable, err := readKeySet(body)
	if err == nil && len(set.Keys) == 0 {
		err = unusable
	}
	return set, err
}

// clientAlgorithms are those with which clients sign what they send us
// (FAPI 2.0 Security Profile §5.4.1): no RSASSA-PKCS1-v1_5, no shared secret,
// and never none.
var clientAlgorithms = []jose.SignatureAlgorithm{jose.PS256, jose.ES256, jose.EdDSA}

// maxJWTLength bounds a JWT before anything of it is decoded.
const maxJWTLength = 16 << 10

// errBadJWT is a JWT that is not what it should be; the text is told to clients.
type errBadJWT string

func (e errBadJWT) Error() string { return string(e) }

// openClientJWT verifies a JWT with the client's registered keys and gives its
// payload. The key comes from the registration alone: nothing in the header
// leads anywhere else (RFC 8725 §3.10).
func (s *Server) openClientJWT(ctx context.Context, client *loop.Client, text string, types ...string) ([]byte, error) {
	parsed, err := parseJWT(text)
	if err != nil {
		return nil, err
	}
	header := parsed.Signatures[0].Protected
	if kind, given := header.ExtraHeaders[jose.HeaderType]; given && !typeIs(kind, types) {
		return nil, errBadJWT("it is a JWT of another kind (typ)")
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
	set, err := s.ClientKeys.Of(ctx, client, verifies)
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", errBadJWT("the client's keys could not be read, check its jwks_uri"), err)
	}
	if payload == nil && !verifies(set) {
		return nil, errBadJWT("none of the client's registered keys verifies its signature")
	}
	return payload, nil
}

// parseJWT parses a compact JWS of one of the client algorithms.
func parseJWT(text string) (*jose.JSONWebSignature, error) {
	if len(text) > maxJWTLength {
		return nil, errBadJWT("it is longer than 16 KiB")
	}
	parsed, err := jose.ParseSignedCompact(text, clientAlgorithms)
	if err != nil || len(parsed.Signatures) != 1 {
		return nil, errBadJWT("it is not a JWT signed with PS256, ES256 or EdDSA")
	}
	for name := range parsed.Signatures[0].Protected.ExtraHeaders {
		if name == "crit" || name == "b64" {
			return nil, errBadJWT("its header demands an extension that is not known here")
		}
	}
	return parsed, nil
}

// typeIs reports whether a header's typ is one of these; a typ that is no text is
// none.
func typeIs(kind any, allowed []string) bool {
	for _, one := range allowed {
		if kind == one || kind == "application/"+one {
			return true
		}
	}
	return false
}

// usable reports whether a registered key may have made the signature.
func usable(key jose.JSONWebKey, header jose.Header) bool {
	return (header.KeyID == "" || key.KeyID == "" || key.KeyID == header.KeyID) &&
		(key.Use == "" || key.Use == "sig") &&
		(key.Algorithm == "" || key.Algorithm == header.Algorithm)
}

// thumbprint is the SHA-256 thumbprint of a public key in base64url (RFC 7638).
func thumbprint(key jose.JSONWebKey) (string, error) {
	sum, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", err
	}
	return base64url(sum), nil
}
