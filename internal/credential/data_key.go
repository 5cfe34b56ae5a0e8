package credential

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/loop-health/loop/internal/loop"
)

// DataUse is what a data key of a member seals; each has a key of its own, so that
// one room's key opens nothing of another's.
type DataUse string

// The uses of data keys.
const (
	ForResults DataUse = "results" // of laboratories
	ForPerson  DataUse = "person"  // name and addresses
)

// DataKey seals what is kept of one member for one use. It is safe for concurrent
// use, and cannot be printed.
type DataKey struct {
	aead cipher.AEAD
	mac  [32]byte
}

// newDataKey derives the two keys of a member's secret.
func newDataKey(secret []byte) (*DataKey, error) {
	key := new(DataKey)
	seal, err := hkdf.Key(sha256.New, secret, nil, "loop data seal", chacha20poly1305.KeySize)
	if err != nil {
		return nil, fmt.Errorf("deriving a data key: %w", err)
	}
	mac, err := hkdf.Key(sha256.New, secret, nil, "loop data mac", len(key.mac))
	if err != nil {
		return nil, fmt.Errorf("deriving a data key: %w", err)
	}
	key.mac = [32]byte(mac)
	if key.aead, err = chacha20poly1305.NewX(seal); err != nil {
		return nil, fmt.Errorf("preparing a data key: %w", err)
	}
	return key, nil
}

// Seal encrypts and authenticates data with a random nonce (XChaCha20-Poly1305).
// Where says which row it is of: what is sealed opens there alone.
func (k *DataKey) Seal(w loop.World, where string, data []byte) []byte {
	sealed := make([]byte, chacha20poly1305.NonceSizeX, chacha20poly1305.NonceSizeX+len(data)+chacha20poly1305.Overhead)
	_, _ = w.Read(sealed)
	return k.aead.Seal(sealed, sealed, data, sealedAs(where))
}

// Open gives the data of what Seal made for the same place; else ErrNotSealed.
func (k *DataKey) Open(where string, sealed []byte) ([]byte, error) {
	return k.OpenTo(nil, where, sealed)
}

// OpenTo is Open, and appends the data to what is there; the two MUST NOT overlap.
func (k *DataKey) OpenTo(to []byte, where string, sealed []byte) ([]byte, error) {
	if len(sealed) < chacha20poly1305.NonceSizeX {
		return nil, ErrNotSealed
	}
	nonce, rest := sealed[:chacha20poly1305.NonceSizeX], sealed[chacha20poly1305.NonceSizeX:]
	data, err := k.aead.Open(to, nonce, rest, sealedAs(where))
	if err != nil {
		return nil, ErrNotSealed
	}
	return data, nil
}

// sealedAs binds a sealing to its place and to this version of the form.
func sealedAs(where string) []byte { return []byte("loop data 1 " + where) }

// Hash is a hash of data that nobody can compute or compare without the key: of what
// could be guessed.
func (k *DataKey) Hash(data []byte) [sha256.Size]byte {
	mac := hmac.New(sha256.New, k.mac[:])
	mac.Write(data)
	return [sha256.Size]byte(mac.Sum(nil))
}

// String hides the key.
func (*DataKey) String() string { return "[data key]" }

// GoString hides the key from %#v.
func (*DataKey) GoString() string { return "[data key]" }
