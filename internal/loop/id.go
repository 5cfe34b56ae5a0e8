package loop

import (
	"encoding/binary"
	"strings"
	"time"
)

// Identifiers are a prefix, an underscore and a ULID: 48 bits of milliseconds
// and 80 random bits in Crockford's base32, upper case, 26 characters. They
// name things; they are never a secret.
type (
	// ClientID names an app: client_01HXY…, or the address of the document in which the
	// app describes itself.
	ClientID string
	// MemberID names a person, for ever: user_01HXY…. It is the subject of
	// ID tokens and never used twice.
	MemberID string
	// GrantID names one member's consent to one app: grant_01HXY….
	GrantID string
	// ReceiptID names what a member was shown and answered once: rcpt_01HXY….
	ReceiptID string
	// ChainID names the refresh tokens of one authorization, and before that
	// the code that starts them: chain_01HXY….
	ChainID string
	// SessionID names one sign-in in one browser (the sid of an ID token):
	// sess_01HXY….
	SessionID string
	// ResultID names one lab result: bmk_01HXY….
	ResultID string
	// TokenID names one access token, so that it alone can be revoked:
	// tok_01HXY….
	TokenID string
	// RequestID names one HTTP request, in every answer and log line:
	// req_01HXY….
	RequestID string
)

// NewClientID makes an identifier for a new client.
func NewClientID(w World) ClientID { return ClientID(newID(w, "client")) }

// NewMemberID makes an identifier for a new member.
func NewMemberID(w World) MemberID { return MemberID(newID(w, "user")) }

// NewGrantID makes an identifier for a new grant.
func NewGrantID(w World) GrantID { return GrantID(newID(w, "grant")) }

// NewReceiptID makes an identifier for a new receipt.
func NewReceiptID(w World) ReceiptID { return ReceiptID(newID(w, "rcpt")) }

// NewChainID makes an identifier for a new code and the chain it will start.
func NewChainID(w World) ChainID { return ChainID(newID(w, "chain")) }

// NewSessionID makes an identifier for a new sign-in.
func NewSessionID(w World) SessionID { return SessionID(newID(w, "sess")) }

// NewResultID makes an identifier for a new lab result.
func NewResultID(w World) ResultID { return ResultID(newID(w, "bmk")) }

// NewTokenID makes an identifier for a new access token or another JWT (jti).
func NewTokenID(w World) TokenID { return TokenID(newID(w, "tok")) }

// TokenIDOf makes the identifier of an access token that is issued again as it was: of
// the moment, and of bits that nobody can guess.
func TokenIDOf(at time.Time, bits [10]byte) TokenID { return TokenID(idOf("tok", at, bits)) }

// NewRequestID makes an identifier for a request that has just arrived.
func NewRequestID(w World) RequestID { return RequestID(newID(w, "req")) }

// Valid reports whether the text has the form of a client's identifier: one that we
// made, or the address of a metadata document.
func (id ClientID) Valid() bool { return validID(string(id), "client") || id.FromDocument() }

// Valid reports whether the text has the form of a request's identifier.
func (id RequestID) Valid() bool { return validID(string(id), "req") }

// Valid reports whether the text has the form of a member's identifier.
func (id MemberID) Valid() bool { return validID(string(id), "user") }

// Valid reports whether the text has the form of a grant's identifier.
func (id GrantID) Valid() bool { return validID(string(id), "grant") }

// Valid reports whether the text has the form of a chain's identifier.
func (id ChainID) Valid() bool { return validID(string(id), "chain") }

// Valid reports whether the text has the form of a result's identifier.
func (id ResultID) Valid() bool { return validID(string(id), "bmk") }

// crockford is the alphabet of ULIDs: no I, L, O or U.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// ulidLength is the length of 128 bits in five-bit characters.
const ulidLength = 26

// ulidTimeLength is how many of them say the time.
const ulidTimeLength = 10

func newID(w World, prefix string) string {
	var bits [10]byte
	_, _ = w.Read(bits[:])
	return idOf(prefix, w.Now(), bits)
}

func idOf(prefix string, at time.Time, bits [10]byte) string {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:8], uint64(at.UnixMilli())<<16)
	copy(raw[6:], bits[:])

	text := make([]byte, 0, len(prefix)+1+ulidLength)
	text = append(text, prefix...)
	text = append(text, '_')
	return string(appendULID(text, raw))
}

// appendULID writes the 128 bits of raw, most significant first, as 26
// characters; the first carries only three bits.
func appendULID(text []byte, raw [16]byte) []byte {
	high, low := binary.BigEndian.Uint64(raw[:8]), binary.BigEndian.Uint64(raw[8:])
	for i := ulidLength - 1; i >= 0; i-- {
		shift := uint(5 * i)
		var five uint64
		switch {
		case shift >= 64:
			five = high >> (shift - 64)
		case shift == 60:
			five = high<<4 | low>>60
		default:
			five = low >> shift
		}
		text = append(text, crockford[five&31])
	}
	return text
}

func validID(text, prefix string) bool {
	ulid, ok := strings.CutPrefix(text, prefix+"_")
	if !ok || len(ulid) != ulidLength || ulid[0] > '7' {
		return false
	}
	for i := range len(ulid) {
		if strings.IndexByte(crockford, ulid[i]) < 0 {
			return false
		}
	}
	return true
}
