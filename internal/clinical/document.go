package clinical

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/loop-health/loop/internal/web"
)

// document is JSON that holds nothing of anybody's and does not change while a process
// runs: anyone may read it, from any page, and keep it by its tag.
type document struct {
	body []byte
	etag string
}

func newDocument(body []byte) document {
	sum := sha256.Sum256(body)
	return document{body, `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
}

// serve answers with the document, or that a client has it already.
func (d document) serve(w http.ResponseWriter, r *http.Request) error {
	if _, err := web.Negotiate(r, formatJSON); err != nil {
		return err
	}
	w.Header().Set("ETag", d.etag)
	if unchanged(r.Header.Get("If-None-Match"), d.etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	web.WriteEncodedJSON(w, http.StatusOK, d.body)
	return nil
}

// unchanged reports whether a client has the document already (RFC 9110 §13.1.2).
func unchanged(sent, etag string) bool {
	for tag := range strings.SplitSeq(sent, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
			return true
		}
	}
	return false
}
