// Package asset serves the few files that pages refer to: the stylesheet, the mark
// and three small scripts. Each has its content's hash in its path, so that browsers may
// keep it for ever and never show an old one.
package asset

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
)

//go:embed loop.css
var stylesheet []byte

//go:embed chart.css
var chart []byte

//go:embed mark.svg
var mark []byte

//go:embed form_post.js
var formPost []byte

//go:embed passkey.js
var passkey []byte

//go:embed show_password.js
var showPassword []byte

//go:embed copy.js
var copyButtons []byte

// File is a file with its place on every host.
type File struct {
	Path string

	content     []byte
	contentType string
}

// Stylesheet is the one stylesheet of every page.
func Stylesheet() File {
	return newFile("loop", ".css", "text/css; charset=utf-8", slices.Concat(stylesheet, chart))
}

// ChartStyle is the part of the stylesheet that a chart needs where it is a document of
// its own: its rules, and the colours of both schemes, which count inside of it alone.
func ChartStyle() string {
	tokens, _, _ := strings.Cut(string(stylesheet), "*, ::before")
	_, tokens, _ = strings.Cut(tokens, "*/")
	return strings.ReplaceAll(tokens, ":root", ".history") + string(chart)
}

// Mark is Loop's mark, which a browser shows beside a page's title.
func Mark() File { return newFile("mark", ".svg", "image/svg+xml", mark) }

// Copy puts a button beside each code that is marked by data-copy, which says what
// it is.
func Copy() File { return newFile("copy", ".js", "text/javascript; charset=utf-8", copyButtons) }

// FormPost submits the form of an authorization response as soon as it is there
// (OAuth 2.0 Form Post Response Mode §4); the form has a button too.
func FormPost() File {
	return newFile("form-post", ".js", "text/javascript; charset=utf-8", formPost)
}

// Passkey asks the browser for a passkey, or to make one, for the forms that are marked
// by data-passkey.
func Passkey() File { return newFile("passkey", ".js", "text/javascript; charset=utf-8", passkey) }

// ShowPassword puts a button beside each password field that shows what was typed.
func ShowPassword() File {
	return newFile("show-password", ".js", "text/javascript; charset=utf-8", showPassword)
}

func newFile(name, ending, contentType string, content []byte) File {
	sum := sha256.Sum256(content)
	return File{
		Path:    "/static/" + name + "-" + hex.EncodeToString(sum[:6]) + ending,
		content: content, contentType: contentType,
	}
}

// Serve answers with the file.
func (f File) Serve(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", f.contentType)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(f.content) // the browser has gone: nobody reads the error
	return nil
}
