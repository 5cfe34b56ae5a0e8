package connect

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

// KeyLength is the length of a key of a KeyRing, in bytes.
const KeyLength = 32

// KeyRing seals what an app keeps: with its first key; it opens what any of its keys
// has sealed. To rotate, put a new key in front and leave the old ones for as long as
// something that they sealed is needed. Printed it shows no key.
type KeyRing struct{ keys []ringKey }

type ringKey struct {
	id     [keyIDLength]byte
	secret [KeyLength]byte
}

const keyIDLength = 4

// NewKeyRing makes a ring of keys of KeyLength random bytes each; the first one seals.
// It panics where a key has another length, or there is none: that is a mistake in the
// app, not in its data.
func NewKeyRing(keys ...[]byte) *KeyRing {
	if len(keys) == 0 {
		panic("connect: a key ring needs a key")
	}
	r := &KeyRing{}
	for _, text := range keys {
		if len(text) != KeyLength {
			panic(fmt.Sprintf("connect: a key has %d bytes, not %d: make one with openssl rand -base64 32", len(text), KeyLength))
		}
		key := ringKey{secret: [KeyLength]byte(text)}
		sum := sha256.Sum256(append([]byte("id of a key"), text...))
		key.id = [keyIDLength]byte(sum[:])
		r.keys = append(r.keys, key)
	}
	return r
}

// NewKeyBytes makes a random key.
func NewKeyBytes() []byte {
	key := make([]byte, KeyLength)
	_, _ = rand.Read(key) // never fails
	return key
}

// Format hides the keys, whatever the verb.
func (r *KeyRing) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "KeyRing of %d", len(r.keys)) }

// sealer seals for one purpose: what was sealed for another it does not open.
type sealer struct {
	keys    *KeyRing
	purpose string
}

// Format hides the keys.
func (s sealer) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "sealer for ", s.purpose) }

// errNotSealed says that a text was not sealed with a key of the ring, or for something
// else.
var errNotSealed = errors.New("it was not sealed with a key of the ring, or for something else")

func (s sealer) cipher(key *ringKey) cipher.AEAD {
	derived, err := hkdf.Key(sha256.New, key.secret[:], nil, s.purpose, chacha20poly1305.KeySize)
	if err == nil {
		var aead cipher.AEAD
		if aead, err = chacha20poly1305.NewX(derived); err == nil {
			return aead
		}
	}
	panic("connect: " + err.Error()) // the lengths are constants
}

// seal seals a plaintext that belongs to a subject.
func (s sealer) seal(plaintext []byte, subject string) []byte {
	key := &s.keys.keys[0]
	nonce := make([]byte, chacha20poly1305.NonceSizeX)
	_, _ = rand.Read(nonce) // never fails
	sealed := append(key.id[:len(key.id):len(key.id)], nonce...)
	return s.cipher(key).Seal(sealed, nonce, plaintext, []byte(subject))
}

// open opens what was sealed for the subject, and says whether the first key did it.
func (s sealer) open(sealed []byte, subject string) (plaintext []byte, newest bool, err error) {
	const head = keyIDLength + chacha20poly1305.NonceSizeX
	if len(sealed) < head {
		return nil, false, errNotSealed
	}
	for i := range s.keys.keys {
		key := &s.keys.keys[i]
		if [keyIDLength]byte(sealed[:keyIDLength]) != key.id {
			continue
		}
		if plaintext, err = s.cipher(key).Open(nil, sealed[keyIDLength:head], sealed[head:], []byte(subject)); err == nil {
			return plaintext, i == 0, nil
		}
	}
	return nil, false, errNotSealed
}

// sealText is seal for what is sent as text.
func (s sealer) sealText(plaintext []byte, subject string) string {
	return base64.RawURLEncoding.EncodeToString(s.seal(plaintext, subject))
}

func (s sealer) openText(text, subject string) ([]byte, error) {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, errNotSealed
	}
	plaintext, _, err := s.open(sealed, subject)
	return plaintext, err
}
