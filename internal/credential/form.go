package credential

import (
	"crypto/sha256"
	"encoding/base64"
	"hash/crc32"
	"log/slog"
	"strings"

	"github.com/loop-health/loop/internal/loop"
)

// Prefix says what a credential is, to a person who finds one and to a scanner
// that looks for leaks.
type Prefix string

// The prefixes of every credential of the platform (docs/tokens.md).
const (
	AccessTokenPrefix  Prefix = "lph_at_"
	RefreshTokenPrefix Prefix = "lph_rt_"
	CodePrefix         Prefix = "lph_ac_"
	ClientSecretPrefix Prefix = "secret_"
	SessionPrefix      Prefix = "lph_ss_"
	MailLinkPrefix     Prefix = "lph_ml_"
	// RegistrationTokenPrefix is that of registration access tokens (RFC 7592 §3).
	RegistrationTokenPrefix Prefix = "lph_rg_"
)

// Form gives a credential its text: prefix, body in base64url, checksum. The
// checksum lets a typo or a made-up string be refused without a look-up; it
// protects nothing else.
func (p Prefix) Form(body []byte) string {
	text := make([]byte, 0, len(p)+base64.RawURLEncoding.EncodedLen(len(body))+checksumLength)
	text = base64.RawURLEncoding.AppendEncode(append(text, p...), body)
	sum := checksum(text)
	return string(append(text, sum[:]...))
}

// Parse takes the body out of a credential's text. Anything but exactly what
// Form writes is not ok.
func (p Prefix) Parse(text string) (body []byte, ok bool) {
	if len(text) > maxTextLength || !strings.HasPrefix(text, string(p)) || len(text) < len(p)+checksumLength {
		return nil, false
	}
	covered := []byte(text[:len(text)-checksumLength])
	if sum := checksum(covered); string(sum[:]) != text[len(covered):] {
		return nil, false
	}
	body, err := base64.RawURLEncoding.Strict().AppendDecode(nil, covered[len(p):])
	return body, err == nil
}

// maxTextLength is beyond the longest credential: a code with a full request in it.
const maxTextLength = 4096

const (
	base62         = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	checksumLength = 6 // of 32 bits in base 62
)

func checksum(text []byte) (digits [checksumLength]byte) {
	sum := crc32.ChecksumIEEE(text)
	for i := checksumLength - 1; i >= 0; i-- {
		digits[i] = base62[sum%62]
		sum /= 62
	}
	return digits
}

// Secret is the text of a credential that is to be given to its owner. It cannot be
// printed or logged by accident: only Reveal gives the text.
type Secret struct{ text string }

// NewSecret makes a credential of 256 random bits.
func NewSecret(w loop.World, p Prefix) Secret {
	var body [32]byte
	_, _ = w.Read(body[:])
	return Secret{text: p.Form(body[:])}
}

// SecretOf wraps the text of a credential.
func SecretOf(text string) Secret { return Secret{text: text} }

// Reveal gives the text, for the one answer that carries it.
func (s Secret) Reveal() string { return s.text }

// Hash is what is stored of a credential that has 256 random bits of its own.
func (s Secret) Hash() [32]byte { return sha256.Sum256([]byte(s.text)) }

// String hides the text.
func (Secret) String() string { return "[secret]" }

// GoString hides the text from %#v.
func (Secret) GoString() string { return "[secret]" }

// LogValue hides the text from slog.
func (Secret) LogValue() slog.Value { return slog.StringValue("[secret]") }

// MarshalText hides the text from encoders that were not meant to see it.
func (Secret) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }
