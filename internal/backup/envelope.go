package backup

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
	"golang.org/x/crypto/chacha20poly1305"
)

// Key encrypts and authenticates backups: whoever lacks it can neither read one
// nor make one. It is derived from the master key, which no backup holds.
type Key [32]byte

// String hides the key.
func (Key) String() string { return "[backup key]" }

// GoString hides the key from %#v.
func (Key) GoString() string { return "[backup key]" }

// stanzaType names, in the header of an age file, how its file key is sealed. The
// key is symmetric: to one of age's public keys, everybody who knows it could
// encrypt a backup of their own making.
const stanzaType = "loop-master"

// sealedFor binds a sealed file key to its use and to this version of the form.
var sealedFor = []byte("loop backup 2")

// Wrap seals the file key of an age file (age.Recipient).
func (k Key) Wrap(fileKey []byte) ([]*age.Stanza, error) {
	aead, err := chacha20poly1305.NewX(k[:])
	if err != nil {
		return nil, fmt.Errorf("preparing the backup's key: %w", err)
	}
	nonce := make([]byte, chacha20poly1305.NonceSizeX)
	_, _ = rand.Read(nonce) // never fails
	return []*age.Stanza{{Type: stanzaType, Body: aead.Seal(nonce, nonce, fileKey, sealedFor)}}, nil
}

// Unwrap opens what Wrap sealed (age.Identity).
func (k Key) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(k[:])
	if err != nil {
		return nil, fmt.Errorf("preparing the backup's key: %w", err)
	}
	if len(stanzas) != 1 || stanzas[0].Type != stanzaType || len(stanzas[0].Body) < chacha20poly1305.NonceSizeX {
		return nil, age.ErrIncorrectIdentity
	}
	nonce, sealed := stanzas[0].Body[:chacha20poly1305.NonceSizeX], stanzas[0].Body[chacha20poly1305.NonceSizeX:]
	fileKey, err := aead.Open(nil, nonce, sealed, sealedFor)
	if err != nil {
		return nil, age.ErrIncorrectIdentity
	}
	return fileKey, nil
}

// What cannot be restored, and why.
var (
	errNotABackup   = errors.New("this is not a backup: loop backup makes one")
	errNotEncrypted = errors.New("this backup was made by a version of loop that neither encrypted nor authenticated them, so nobody can say whether it was changed since: restore it with the version that made it, and make a new one with this version")
	errOtherKey     = errors.New("the master key does not open this backup: it was made under another one (loop keys rewrap replaces it, and a backup keeps the one of its day), or its beginning was changed")
	errChanged      = errors.New("the backup is not as it was written: it was changed or cut off")
)

// openEnvelope gives the plaintext of a backup. What is read from it is
// authentic, piece by piece; that it is whole is known when it has ended.
func openEnvelope(r io.Reader, key Key) (io.Reader, error) {
	buffered := bufio.NewReader(r)
	start, _ := buffered.Peek(len(manifestName)) // a shorter one is no backup either
	if bytes.Equal(start, []byte(manifestName)) {
		return nil, errNotEncrypted
	}
	plain, err := age.Decrypt(buffered, key)
	if _, mismatch := errors.AsType[*age.NoIdentityMatchError](err); mismatch {
		return nil, errOtherKey
	}
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", errNotABackup, err)
	}
	return plain, nil
}
