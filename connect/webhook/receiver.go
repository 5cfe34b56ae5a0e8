package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/loop-health/loop/connect"
)

// Why a request is no event of Loop's.
var (
	// ErrSignature: no secret of the app's has signed it. It comes from somebody else, was
	// altered on its way, or the body was read and encoded again before.
	ErrSignature = errors.New("the webhook bears no signature by one of the app's secrets")
	// ErrTimestamp: it was signed too long ago, or in the future: somebody sends again what
	// they saw, or a clock is wrong.
	ErrTimestamp = errors.New("the webhook's timestamp is more than five minutes from now")
)

// tolerance is how far a timestamp may be from now (Standard Webhooks).
const tolerance = 5 * time.Minute

// Config is what a Receiver needs.
type Config struct {
	// Secrets are the webhook's signing secrets, whsec_…: the newest, and during a
	// rotation the one before, in any order.
	Secrets []connect.Secret
	// Seen remembers which events were handled; nil: this process does, of the newest
	// 10,000. An app of several processes shares a store.
	Seen Seen
	// Now is the clock; nil: the machine's.
	Now func() time.Time
}

// Seen remembers which events were handled. It MUST be safe for concurrent use.
type Seen interface {
	// Handle calls handle unless the event was handled before, and remembers it where
	// handle returns nil. Two calls for one event MUST NOT handle it at the same time.
	Handle(ctx context.Context, eventID string, handle func() error) error
}

// Receiver verifies webhooks. It is safe for concurrent use.
type Receiver struct {
	keys [][]byte
	seen Seen
	now  func() time.Time
}

// New makes a receiver. A secret that is none, or none at all, is an error.
func New(config Config) (*Receiver, error) {
	r := &Receiver{seen: config.Seen, now: config.Now}
	for _, secret := range config.Secrets {
		text, ok := strings.CutPrefix(string(secret), "whsec_")
		key, err := base64.StdEncoding.DecodeString(text)
		if !ok || err != nil || len(key) < 24 {
			return nil, errors.New("a signing secret is whsec_ and Base64, as it was shown when the webhook was made")
		}
		r.keys = append(r.keys, key)
	}
	if len(r.keys) == 0 {
		return nil, errors.New("a receiver needs a signing secret: without one anybody could send events")
	}
	if r.seen == nil {
		r.seen = newMemory()
	}
	if r.now == nil {
		r.now = time.Now
	}
	return r, nil
}

// Verify gives the event of a request with this header and body, as it came: byte by
// byte. The error is ErrSignature or ErrTimestamp, or says that the body is no event.
func (r *Receiver) Verify(header http.Header, body []byte) (Event, error) {
	id, stamp := header.Get("Webhook-Id"), header.Get("Webhook-Timestamp")
	if id == "" || strings.Contains(id, ".") || !r.signed(header.Get("Webhook-Signature"), id+"."+stamp+".", body) {
		return Event{}, ErrSignature
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || r.now().Sub(time.Unix(seconds, 0)).Abs() > tolerance {
		return Event{}, ErrTimestamp
	}
	var e Event
	if err := json.Unmarshal(body, &e); err != nil {
		return Event{}, fmt.Errorf("reading an event: %w", err)
	}
	if e.ID != id {
		return Event{}, fmt.Errorf("the event %q came with the id %q", e.ID, id)
	}
	return e, nil
}

// signed reports whether one of the signatures is one of our secrets'. Each is compared
// in constant time.
func (r *Receiver) signed(signatures, head string, body []byte) bool {
	found := false
	for signature := range strings.FieldsSeq(signatures) {
		version, text, _ := strings.Cut(signature, ",")
		sent, err := base64.StdEncoding.DecodeString(text)
		if version != "v1" || err != nil {
			continue
		}
		for _, key := range r.keys {
			mac := hmac.New(sha256.New, key)
			mac.Write([]byte(head))
			mac.Write(body)
			found = hmac.Equal(mac.Sum(nil), sent) || found
		}
	}
	return found
}
