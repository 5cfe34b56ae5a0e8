package web

import (
	"fmt"
	"io"
	"net/http"
	"time"
)

// contactHolds is how long a reader may rely on the contact without asking again: RFC
// 9116 §2.5.5 wants less than a year.
const contactHolds = 90 * 24 * time.Hour

// securityContact answers GET /.well-known/security.txt (RFC 9116): whom to write to who
// found a hole.
func (s *Site) securityContact(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=86400")
	_, err := io.WriteString(w, fmt.Sprintf("Contact: %s\nExpires: %s\nCanonical: %s\nPreferred-Languages: en, de\n",
		s.SecurityContact, s.World.Now().Add(contactHolds).UTC().Format(time.RFC3339), s.PublicURL.JoinPath("/.well-known/security.txt")))
	return err
}
