package platformtest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"testing"
)

// The flags of an authenticator's data (WebAuthn Level 3 §6.1).
const (
	UserPresent    byte = 1 << 0
	UserVerified   byte = 1 << 2
	BackupEligible byte = 1 << 3
	attested       byte = 1 << 6
)

// Authenticator is a device with one passkey, made of software. Its fields are what a
// test may have it do wrong.
type Authenticator struct {
	Origin      string // of the page that it believes to be on
	Host        string // that its passkey is for
	CrossOrigin bool
	Flags       byte
	Counter     uint32 // of the next signature; it stays 0 where it is
	ID          []byte
	User        []byte // user handle
	Type        string // of the client data, where it isn't the right one

	t   testing.TB
	key *ecdsa.PrivateKey
}

// NewAuthenticator makes one that is on identity's pages.
func NewAuthenticator(t testing.TB) *Authenticator {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	return &Authenticator{
		Origin: Identity, Host: parse(Identity).Hostname(), Flags: UserPresent | UserVerified | BackupEligible, ID: id, t: t, key: key,
	}
}

// options are the parts of a page's options that the authenticator reads.
type options struct {
	Challenge string `json:"challenge"`
	User      struct {
		ID string `json:"id"`
	} `json:"user"`
}

// Create makes the passkey by a page's options, and gives what a browser sends.
func (a *Authenticator) Create(page string) string {
	a.t.Helper()
	o := a.read(page)
	a.User = a.decode(o.User.ID)
	data := a.data(attested)
	data = append(data, make([]byte, 16)...)                      // AAGUID: none
	data = binary.BigEndian.AppendUint16(data, uint16(len(a.ID))) //nolint:gosec // G115: a few bytes
	data = append(append(data, a.ID...), a.publicKey()...)
	object := append([]byte("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59"), binary.BigEndian.AppendUint16(nil, uint16(len(data)))...) //nolint:gosec // G115: some hundred bytes
	return a.answer(map[string]string{
		"clientDataJSON": encode(a.clientData("webauthn.create", o.Challenge)), "attestationObject": encode(append(object, data...)),
	})
}

// Get signs by a page's options, and gives what a browser sends.
func (a *Authenticator) Get(page string) string {
	a.t.Helper()
	data, client := a.data(0), a.clientData("webauthn.get", a.read(page).Challenge)
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(append(bytes.Clone(data), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, digest[:])
	if err != nil {
		a.t.Fatal(err)
	}
	if a.Counter > 0 {
		a.Counter++
	}
	return a.answer(map[string]string{
		"clientDataJSON": encode(client), "authenticatorData": encode(data), "signature": encode(signature), "userHandle": encode(a.User),
	})
}

func (a *Authenticator) answer(response map[string]string) string {
	return a.json(map[string]any{
		"id": encode(a.ID), "rawId": encode(a.ID), "type": "public-key", "clientExtensionResults": map[string]any{}, "response": response,
	})
}

func (a *Authenticator) clientData(kind, challenge string) []byte {
	if a.Type != "" {
		kind = a.Type
	}
	return []byte(a.json(map[string]any{"type": kind, "challenge": challenge, "origin": a.Origin, "crossOrigin": a.CrossOrigin}))
}

// data is the authenticator's data up to the passkey itself.
func (a *Authenticator) data(more byte) []byte {
	host := sha256.Sum256([]byte(a.Host))
	return binary.BigEndian.AppendUint32(append(host[:], a.Flags|more), a.Counter)
}

// publicKey is the key in COSE's form: EC2, ES256, P-256, x, y (RFC 9053 §7.1).
func (a *Authenticator) publicKey() []byte {
	point, err := a.key.PublicKey.Bytes()
	if err != nil {
		a.t.Fatal(err)
	}
	text := append([]byte{0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20}, point[1:33]...)
	return append(append(text, 0x22, 0x58, 0x20), point[33:]...)
}

func (a *Authenticator) read(page string) (o options) {
	a.t.Helper()
	if err := json.Unmarshal([]byte(page), &o); err != nil {
		a.t.Fatalf("reading the options %q: %v", page, err)
	}
	return o
}

func (a *Authenticator) json(value any) string {
	a.t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		a.t.Fatal(err)
	}
	return string(text)
}

func (a *Authenticator) decode(text string) []byte {
	a.t.Helper()
	plain, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		a.t.Fatal(err)
	}
	return plain
}

func encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }
