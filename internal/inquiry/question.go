package inquiry

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// Where the questions are answered.
const (
	membersPath = "/internal/members/"
	namesPath   = "/internal/names/" // of members
	clientsPath = "/internal/clients/"
	originsPath = "/internal/origins/" // in base64url
	newsPath    = "/internal/news/"    // by the event's id, with the news in the body
)

// Answers, as they are sent.
type (
	memberAnswer struct {
		Sex    loop.Sex  `json:"sex"`
		BornOn time.Time `json:"born_on,omitzero"`
	}
	nameAnswer struct {
		Name string `json:"name"`
	}
	clientAnswer struct {
		Name       string          `json:"name"`
		Type       loop.ClientType `json:"type"`
		Mode       loop.Mode       `json:"mode"`
		RateLimits map[string]int  `json:"rate_limits,omitempty"`
		Origins    []loop.Origin   `json:"allowed_origins,omitempty"`
	}
	originAnswer struct {
		Registered bool `json:"registered"`
	}
)

// scheme is the authentication scheme of a question's Authorization header.
const scheme = "Loop-Inquiry "

// validFor is how far the two clocks may be apart, and how old a question may be.
const validFor = time.Minute

const timeLength = 8

// proof tags questions and checks them.
type proof struct{ tagger credential.Tagger }

func newProof(ring *credential.Ring) proof {
	return proof{credential.Tagger{Ring: ring, Purpose: credential.ForPages, Label: "inquiries"}}
}

// sign puts the proof into the header of a question with this body.
func (p proof) sign(r *http.Request, body []byte, now time.Time) {
	at := binary.BigEndian.AppendUint64(nil, uint64(now.Unix())) //nolint:gosec // G115: after 1970
	tag := p.tagger.Tag(asked(at, r.URL.EscapedPath(), body))
	r.Header.Set("Authorization", scheme+base64.RawURLEncoding.EncodeToString(append(at, tag...)))
}

// verify reports whether the question comes from who has the ring, and from now.
func (p proof) verify(r *http.Request, body []byte, now time.Time) bool {
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), scheme)
	if !ok {
		return false
	}
	proof, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(proof) < timeLength {
		return false
	}
	at, tag := proof[:timeLength], proof[timeLength:]
	if !p.tagger.Check(asked(at, r.URL.EscapedPath(), body), tag) {
		return false
	}
	age := now.Sub(time.Unix(int64(binary.BigEndian.Uint64(at)), 0)) //nolint:gosec // G115: it was tagged here
	return age.Abs() <= validFor
}

// asked is what the tag is of: when, and what.
func asked(at []byte, path string, body []byte) []byte {
	text := append(at[:timeLength:timeLength], path...)
	if len(body) > 0 {
		sum := sha256.Sum256(body)
		text = append(append(text, ' '), sum[:]...) // no escaped path holds a space
	}
	return text
}
