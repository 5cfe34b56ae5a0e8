package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// secretPrefix begins a signing secret, as Standard Webhooks has it: behind it is the
// key in Base64.
const secretPrefix = "whsec_"

// Secrets derives the signing secrets of webhooks from the one key of the ring that is
// never replaced: nobody stores them, and a rotation is a number.
type Secrets struct{ Ring *credential.Ring }

// Of is the signing secret of a webhook with a number.
func (s Secrets) Of(id loop.WebhookID, number int) credential.Secret {
	key := s.Ring.Derive(credential.ForAudit, "webhook "+string(id)+" secret "+strconv.Itoa(number))
	return credential.SecretOf(secretPrefix + base64.StdEncoding.EncodeToString(key[:]))
}

// sign is the header fields of an attempt: the event's, and both forms of its signature.
// The newest secret makes the hex one; each that is live makes one of Standard Webhooks,
// so that a receiver can change to the new secret at any time of the overlap.
func (s Secrets) sign(to *loop.Webhook, event Event, body []byte, attempt int, now time.Time) http.Header {
	stamp := strconv.FormatInt(now.Unix(), 10)
	var signatures []string
	for _, number := range to.LiveSecrets(now) {
		signatures = append(signatures, "v1,"+standard(s.Of(to.ID, number), string(event.ID)+"."+stamp+".", body))
	}
	return http.Header{
		"Content-Type":            {"application/json"},
		"X-Loop-Event-Id":         {string(event.ID)},
		"X-Loop-Event-Type":       {string(event.Type)},
		"X-Loop-Delivery-Attempt": {strconv.Itoa(attempt)},
		"X-Loop-Signature":        {hex.EncodeToString(sum([]byte(s.Of(to.ID, to.Secret).Reveal()), body))},
		"Webhook-Id":              {string(event.ID)},
		"Webhook-Timestamp":       {stamp},
		"Webhook-Signature":       {strings.Join(signatures, " ")},
	}
}

// standard is the signature of Standard Webhooks: over id, timestamp and body, by the
// key that the secret holds in Base64.
func standard(secret credential.Secret, head string, body []byte) string {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret.Reveal(), secretPrefix)) // which Of has encoded
	return base64.StdEncoding.EncodeToString(sum(key, []byte(head), body))
}

func sum(key []byte, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, key)
	for _, part := range parts {
		mac.Write(part)
	}
	return mac.Sum(nil)
}
