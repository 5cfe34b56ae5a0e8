package credential

import (
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/crypto/chacha20poly1305"

	"github.com/loop-health/loop/internal/loop"
)

// Master is the key under which all others are kept. It is never stored with
// what it protects.
type Master struct{ secret [32]byte }

// NewMaster makes a master key and the text that ParseMaster reads.
func NewMaster(w loop.World) (master *Master, text string) {
	master = &Master{}
	_, _ = w.Read(master.secret[:])
	return master, base64.StdEncoding.EncodeToString(master.secret[:])
}

// ParseMaster reads a master key: 32 bytes in base64.
func ParseMaster(text string) (*Master, error) {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(raw) != 32 {
		return nil, fmt.Errorf("the master key must be 32 bytes in base64, such as `openssl rand -base64 32` prints")
	}
	return &Master{secret: [32]byte(raw)}, nil
}

// is reports whether both are the same key.
func (m *Master) is(other *Master) bool {
	return subtle.ConstantTimeCompare(m.secret[:], other.secret[:]) == 1
}

// String hides the key.
func (*Master) String() string { return "[master key]" }

// GoString hides the key from %#v.
func (*Master) GoString() string { return "[master key]" }

// BackupKey is the key of backups, derived from the master key.
func (m *Master) BackupKey() ([32]byte, error) {
	key, err := hkdf.Key(sha256.New, m.secret[:], nil, "loop backup", 32)
	if err != nil {
		return [32]byte{}, fmt.Errorf("deriving the key of backups: %w", err)
	}
	return [32]byte(key), nil
}

// seal gives the key its sealed secret.
func (m *Master) seal(w loop.World, key Key, secret []byte) (Key, error) {
	aead, err := chacha20poly1305.NewX(m.secret[:])
	if err != nil {
		return Key{}, fmt.Errorf("sealing a key: %w", err)
	}
	nonce := make([]byte, chacha20poly1305.NonceSizeX)
	_, _ = w.Read(nonce)
	key.Sealed = aead.Seal(nonce, nonce, secret, key.associated())
	return key, nil
}

func (m *Master) open(key Key) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(m.secret[:])
	if err != nil {
		return nil, fmt.Errorf("opening key %d: %w", key.ID, err)
	}
	if len(key.Sealed) < chacha20poly1305.NonceSizeX {
		return nil, fmt.Errorf("key %d is damaged", key.ID)
	}
	nonce, sealed := key.Sealed[:chacha20poly1305.NonceSizeX], key.Sealed[chacha20poly1305.NonceSizeX:]
	secret, err := aead.Open(nil, nonce, sealed, key.associated())
	if err != nil {
		return nil, fmt.Errorf("the master key does not open key %d of this database: it is another platform's, or loop keys rewrap has replaced it, and the newest one is needed", key.ID)
	}
	return secret, nil
}

// associated binds the secret to what it is for. ES256 was the only algorithm
// when the form was made, and stays unsaid.
func (k Key) associated() []byte {
	bound := "loop key 1 " + strconv.FormatUint(uint64(k.ID), 10) + " " + string(k.Purpose)
	if k.Algorithm != "" && k.Algorithm != jose.ES256 {
		bound += " " + string(k.Algorithm)
	}
	return []byte(bound)
}
