package credential

import (
	"cmp"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/loop-health/loop/internal/loop"
)

// Purpose is what a key of the ring is for; a key serves one purpose only.
type Purpose string

// The purposes of keys.
const (
	ForAccessTokens  Purpose = "access"
	ForCodes         Purpose = "code"
	ForRefreshTokens Purpose = "refresh"
	ForContinuations Purpose = "continuation"
	ForTickets       Purpose = "ticket"
	ForPages         Purpose = "page"    // form tokens and cursors: what is only ever compared
	ForPortal        Purpose = "portal"  // the portal's own sessions
	ForSigning       Purpose = "signing" // ID tokens, see SigningKeys
	ForAudit         Purpose = "audit"   // the chain of records and its checkpoints
)

// Purposes lists those that the ring needs a symmetric key for.
func Purposes() []Purpose {
	return []Purpose{ForAccessTokens, ForCodes, ForRefreshTokens, ForContinuations, ForTickets, ForPages, ForPortal, ForAudit}
}

// Key is one key as it is stored: its secret is sealed under the master key.
type Key struct {
	ID        uint32
	Purpose   Purpose
	Sealed    []byte
	CreatedAt time.Time
}

// NewKey makes a key of 256 random bits for the purpose.
func NewKey(w loop.World, master *Master, id uint32, purpose Purpose) (Key, error) {
	var secret [32]byte
	_, _ = w.Read(secret[:])
	return master.seal(w, id, purpose, secret[:])
}

// Ring holds the keys of a process, opened. It is safe for concurrent use:
// nothing in it changes after NewRing.
type Ring struct {
	world  loop.World
	keys   map[uint32]*ringKey
	newest map[Purpose]*ringKey
}

// ringKey is a key with the two that are derived from it: one seals, the other
// makes the nonces of what must be sealed the same way twice.
type ringKey struct {
	id      uint32
	purpose Purpose
	aead    cipher.AEAD
	nonce   [32]byte
	mac     [32]byte
}

// NewRing opens stored keys with the master key. A purpose without a key is an
// error, as is a key that the master key does not open.
func NewRing(w loop.World, master *Master, keys []Key) (*Ring, error) {
	ring := &Ring{world: w, keys: map[uint32]*ringKey{}, newest: map[Purpose]*ringKey{}}
	slices.SortFunc(keys, func(a, b Key) int { return cmp.Compare(a.ID, b.ID) })
	for _, stored := range keys {
		if stored.Purpose == ForSigning {
			continue
		}
		secret, err := master.open(stored)
		if err != nil {
			return nil, err
		}
		key := &ringKey{id: stored.ID, purpose: stored.Purpose}
		var seal [32]byte
		for label, derived := range map[string]*[32]byte{"seal": &seal, "nonce": &key.nonce, "mac": &key.mac} {
			bytes, err := hkdf.Key(sha256.New, secret, nil, "loop "+string(stored.Purpose)+" "+label, 32)
			if err != nil {
				return nil, fmt.Errorf("deriving keys for %s: %w", stored.Purpose, err)
			}
			copy(derived[:], bytes)
		}
		if key.aead, err = chacha20poly1305.NewX(seal[:]); err != nil {
			return nil, fmt.Errorf("preparing a key for %s: %w", stored.Purpose, err)
		}
		ring.keys[key.id], ring.newest[key.purpose] = key, key
	}
	for _, purpose := range Purposes() {
		if ring.newest[purpose] == nil {
			return nil, fmt.Errorf("the key ring has no key for %s", purpose)
		}
	}
	return ring, nil
}

// ErrNotSealed is returned for bytes that no key of the ring sealed for the
// purpose: made up, damaged, or from before a key was retired.
var ErrNotSealed = errors.New("not sealed by this platform for this purpose")

const keyIDLength = 4

// Seal encrypts and authenticates the plaintext for a purpose, with a random
// nonce (XChaCha20-Poly1305).
func (r *Ring) Seal(purpose Purpose, plaintext []byte) []byte {
	key := r.newest[purpose]
	var nonce [chacha20poly1305.NonceSizeX]byte
	_, _ = r.world.Read(nonce[:])
	return key.encrypt(nonce, plaintext)
}

// SealReproducibly is Seal with a nonce made from the plaintext: the same
// plaintext and key give the same bytes. The key is the one with the given id,
// so that what was sealed before can be sealed again.
func (r *Ring) SealReproducibly(purpose Purpose, keyID uint32, plaintext []byte) ([]byte, error) {
	key, ok := r.keys[keyID]
	if !ok || key.purpose != purpose {
		return nil, fmt.Errorf("key %d for %s is not in the ring", keyID, purpose)
	}
	mac := hmac.New(sha256.New, key.nonce[:])
	mac.Write(plaintext)
	return key.encrypt([chacha20poly1305.NonceSizeX]byte(mac.Sum(nil)[:chacha20poly1305.NonceSizeX]), plaintext), nil
}

// Open gives the plaintext of what Seal or SealReproducibly made for the
// purpose, and the id of its key; else ErrNotSealed. A key id that is not in
// the ring is refused without any further work.
func (r *Ring) Open(purpose Purpose, sealed []byte) (plaintext []byte, keyID uint32, err error) {
	if len(sealed) < keyIDLength+chacha20poly1305.NonceSizeX+chacha20poly1305.Overhead {
		return nil, 0, ErrNotSealed
	}
	key, ok := r.keys[binary.BigEndian.Uint32(sealed)]
	if !ok || key.purpose != purpose {
		return nil, 0, ErrNotSealed
	}
	rest := sealed[keyIDLength:]
	plaintext, err = key.aead.Open(nil, rest[:chacha20poly1305.NonceSizeX], rest[chacha20poly1305.NonceSizeX:], key.associated())
	if err != nil {
		return nil, 0, ErrNotSealed
	}
	return plaintext, key.id, nil
}

// Newest is the id of the key that seals for the purpose now.
func (r *Ring) Newest(purpose Purpose) uint32 { return r.newest[purpose].id }

// MAC authenticates data under the key with the given id; nil where it is not
// in the ring.
func (r *Ring) MAC(purpose Purpose, keyID uint32, data ...[]byte) []byte {
	key, ok := r.keys[keyID]
	if !ok || key.purpose != purpose {
		return nil
	}
	mac := hmac.New(sha256.New, key.mac[:])
	for _, part := range data {
		mac.Write(part)
	}
	return mac.Sum(nil)
}

// Derive gives 32 bytes that are the same for as long as the purpose's newest
// key stays: for the keys of form tokens, cursors and the audit chain.
func (r *Ring) Derive(purpose Purpose, label string) [32]byte {
	return [32]byte(r.MAC(purpose, r.newest[purpose].id, []byte(label)))
}

func (k *ringKey) encrypt(nonce [chacha20poly1305.NonceSizeX]byte, plaintext []byte) []byte {
	sealed := make([]byte, 0, keyIDLength+len(nonce)+len(plaintext)+chacha20poly1305.Overhead)
	sealed = binary.BigEndian.AppendUint32(sealed, k.id)
	sealed = append(sealed, nonce[:]...)
	return k.aead.Seal(sealed, nonce[:], plaintext, k.associated())
}

// associated binds a sealing to its purpose and to this version of the form.
func (k *ringKey) associated() []byte { return []byte("loop 1 " + k.purpose) }
