package credential

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/loop-health/loop/internal/loop"
)

// Ring holds the keys of a process, opened. It is safe for concurrent use: Load
// replaces all of them at once, and what seals does so by the clock, so that a
// key takes over at its moment on every process that has it.
type Ring struct {
	world loop.World
	held  atomic.Pointer[heldKeys]
}

// heldKeys are keys by their ids, and those of each purpose by their turn.
type heldKeys struct {
	byID  map[uint32]*ringKey
	turns map[Purpose][]*ringKey
}

// ringKey is a key with the three that are derived from it: one seals, one makes
// the nonces of what must be sealed the same way twice, one authenticates.
type ringKey struct {
	id      uint32
	purpose Purpose
	from    time.Time
	aead    cipher.AEAD
	nonce   [32]byte
	mac     [32]byte
}

func (k *ringKey) sealsFrom() time.Time { return k.from }

// NewRing opens stored keys with the master key, as Load does.
func NewRing(w loop.World, master *Master, keys []Key) (*Ring, error) {
	ring := &Ring{world: w}
	return ring, ring.Load(master, keys)
}

// Load replaces the ring's keys by these. A purpose without a key is an error, as
// is a key that the master key does not open; the ring is then as it was.
func (r *Ring) Load(master *Master, keys []Key) error {
	held, err := openKeys(master, keys)
	if err == nil {
		r.held.Store(held)
	}
	return err
}

func openKeys(master *Master, keys []Key) (*heldKeys, error) {
	held := &heldKeys{byID: map[uint32]*ringKey{}, turns: map[Purpose][]*ringKey{}}
	for _, stored := range inTurn(keys) {
		if stored.Purpose == ForSigning {
			continue
		}
		key, err := openRingKey(master, stored)
		if err != nil {
			return nil, err
		}
		held.byID[key.id] = key
		held.turns[key.purpose] = append(held.turns[key.purpose], key)
	}
	for _, purpose := range Purposes() {
		if len(held.turns[purpose]) == 0 {
			return nil, fmt.Errorf("the key ring has no key for %s", purpose)
		}
	}
	return held, nil
}

func openRingKey(master *Master, stored Key) (*ringKey, error) {
	secret, err := master.open(stored)
	if err != nil {
		return nil, err
	}
	key := &ringKey{id: stored.ID, purpose: stored.Purpose, from: stored.SealsFrom}
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
	return key, nil
}

// Held stands for the keys that the ring holds: another value, by ==, after each change
// of them.
func (r *Ring) Held() any { return r.held.Load() }

// atWork is the key that seals for the purpose now.
func (r *Ring) atWork(purpose Purpose) *ringKey {
	return atWork(r.held.Load().turns[purpose], r.world.Now())
}

// key finds a key of the purpose.
func (r *Ring) key(purpose Purpose, id uint32) (*ringKey, bool) {
	key, ok := r.held.Load().byID[id]
	return key, ok && key.purpose == purpose
}

// ErrNotSealed is returned for bytes that no key of the ring sealed for the
// purpose: made up, damaged, or from before a key was retired.
var ErrNotSealed = errors.New("not sealed by this platform for this purpose")

const keyIDLength = 4

// Seal encrypts and authenticates the plaintext for a purpose, with a random
// nonce (XChaCha20-Poly1305).
func (r *Ring) Seal(purpose Purpose, plaintext []byte) []byte {
	key := r.atWork(purpose)
	var nonce [chacha20poly1305.NonceSizeX]byte
	_, _ = r.world.Read(nonce[:])
	return key.encrypt(nonce, plaintext)
}

// SealReproducibly is Seal with a nonce made from the plaintext: the same
// plaintext and key give the same bytes. The key is the one with the given id,
// so that what was sealed before can be sealed again.
func (r *Ring) SealReproducibly(purpose Purpose, keyID uint32, plaintext []byte) ([]byte, error) {
	key, ok := r.key(purpose, keyID)
	if !ok {
		return nil, fmt.Errorf("key %d for %s is not in the ring", keyID, purpose)
	}
	return key.encryptAlike(plaintext), nil
}

// SealAlike is SealReproducibly under the key that is at work: until another is, the
// same plaintext gives the same bytes.
func (r *Ring) SealAlike(purpose Purpose, plaintext []byte) []byte {
	return r.atWork(purpose).encryptAlike(plaintext)
}

// encryptAlike is encrypt with a nonce made from the plaintext.
func (k *ringKey) encryptAlike(plaintext []byte) []byte {
	mac := hmac.New(sha256.New, k.nonce[:])
	mac.Write(plaintext)
	return k.encrypt([chacha20poly1305.NonceSizeX]byte(mac.Sum(nil)[:chacha20poly1305.NonceSizeX]), plaintext)
}

// Open gives the plaintext of what Seal or SealReproducibly made for the
// purpose, and the id of its key; else ErrNotSealed. A key id that is not in
// the ring is refused without any further work.
func (r *Ring) Open(purpose Purpose, sealed []byte) (plaintext []byte, keyID uint32, err error) {
	if len(sealed) < keyIDLength+chacha20poly1305.NonceSizeX+chacha20poly1305.Overhead {
		return nil, 0, ErrNotSealed
	}
	key, ok := r.key(purpose, binary.BigEndian.Uint32(sealed))
	if !ok {
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
func (r *Ring) Newest(purpose Purpose) uint32 { return r.atWork(purpose).id }

// MAC authenticates data under the key with the given id; nil where it is not
// in the ring.
func (r *Ring) MAC(purpose Purpose, keyID uint32, data ...[]byte) []byte {
	key, ok := r.key(purpose, keyID)
	if !ok {
		return nil
	}
	return key.authenticate(data...)
}

// Derive gives 32 bytes that depend on the key at work for the purpose: another
// 32 once its successor has taken over. For what has to be known again after
// that, see Tagger.
func (r *Ring) Derive(purpose Purpose, label string) [32]byte {
	return r.atWork(purpose).derive(label)
}

// DeriveEach gives what Derive gives, has given and will give with the keys that
// the ring holds.
func (r *Ring) DeriveEach(purpose Purpose, label string) [][32]byte {
	var each [][32]byte
	for _, key := range r.held.Load().turns[purpose] {
		each = append(each, key.derive(label))
	}
	return each
}

func (k *ringKey) derive(label string) [32]byte { return [32]byte(k.authenticate([]byte(label))) }

func (k *ringKey) authenticate(data ...[]byte) []byte {
	mac := hmac.New(sha256.New, k.mac[:])
	for _, part := range data {
		mac.Write(part)
	}
	return mac.Sum(nil)
}

func (k *ringKey) encrypt(nonce [chacha20poly1305.NonceSizeX]byte, plaintext []byte) []byte {
	sealed := make([]byte, 0, keyIDLength+len(nonce)+len(plaintext)+chacha20poly1305.Overhead)
	sealed = binary.BigEndian.AppendUint32(sealed, k.id)
	sealed = append(sealed, nonce[:]...)
	return k.aead.Seal(sealed, nonce[:], plaintext, k.associated())
}

// associated binds a sealing to its purpose and to this version of the form.
func (k *ringKey) associated() []byte { return []byte("loop 1 " + k.purpose) }
