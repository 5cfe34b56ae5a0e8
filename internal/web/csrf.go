package web

import (
	"encoding/base64"
	"net/http"
	"net/url"

	"github.com/loop-health/loop/internal/loop"
)

// CSRF guards the posts of a host's own pages: where they come from, and a token
// that only a page shown to the same browser holds.
type CSRF struct {
	Tagger Tagger
	Site   *Site
}

// Tagger authenticates what pages carry.
type Tagger interface {
	// Tag authenticates the data; a tag is good for longer than a page lies open.
	Tag(data []byte) []byte
	// Check reports whether Tag made the tag for exactly this data.
	Check(data, tag []byte) bool
}

// Token is the value of a form's csrf field, bound to a cookie's value.
func (c CSRF) Token(cookie string) string {
	return base64.RawURLEncoding.EncodeToString(c.Tagger.Tag([]byte(cookie)))
}

// noOrigin is the Origin of a page that hides its own.
const noOrigin = "null"

// Check refuses a post that did not come from a page of this host in this
// browser: Forbidden.
func (c CSRF) Check(r *http.Request, cookie, token string) error {
	if err := c.CheckOrigin(r); err != nil {
		return err
	}
	if !c.Made(cookie, token) {
		return loop.Errorf(loop.Forbidden, "This page was opened in another browser, or too long ago. Start again from the app.")
	}
	return nil
}

// Made reports whether Token made the token for this value.
func (c CSRF) Made(cookie, token string) bool {
	tag, err := base64.RawURLEncoding.Strict().DecodeString(token)
	return err == nil && cookie != "" && c.Tagger.Check([]byte(cookie), tag)
}

// CheckOrigin asks where a post came from: Forbidden for another site.
// Sec-Fetch-Site decides; Origin only where it is absent, and Referer where both
// are. Our own pages send no referrer, so that browsers send "null" as their Origin
// (Fetch, "append a request Origin header"), as a foreign page can: that says
// nothing, and the token decides.
func (c CSRF) CheckOrigin(r *http.Request) error {
	foreign := loop.Errorf(loop.Forbidden, "This form was sent from another site. Start again from the app.")
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		if site != "same-origin" {
			return foreign
		}
		return nil
	}
	own := c.Site.origin()
	if sent := r.Header.Values("Origin"); len(sent) > 0 {
		if len(sent) != 1 || sent[0] != own && sent[0] != noOrigin {
			return foreign
		}
		return nil
	}
	if referer := r.Header.Get("Referer"); referer != "" {
		from, err := url.Parse(referer)
		if err != nil || from.Scheme+"://"+from.Host != own {
			return foreign
		}
	}
	return nil
}
