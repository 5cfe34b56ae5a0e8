package identity

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"

	"github.com/loop-health/loop/internal/locale"
)

// consentTexts are the beginnings of the keys of what a page that asks for consent
// says.
var consentTexts = []string{"consent.", "continue.", "frame.", "language.", "scope."}

// consentWords names the words in which members are asked for consent, for each
// language: its tag, and a hash of the pages and of all that they say in it. A page in
// other words, as of another release, is shown again and grants nothing.
func consentWords(pages fs.FS, texts *locale.Texts) (map[string]string, error) {
	markup := sha256.New()
	for _, page := range []string{"consent.html", "continue.html"} {
		text, err := fs.ReadFile(pages, page)
		if err != nil {
			return nil, fmt.Errorf("reading the words of consent: %w", err)
		}
		fmt.Fprintf(markup, "%d %s", len(text), text)
	}
	words := map[string]string{}
	for _, l := range texts.Languages() {
		hash := sha256.New()
		hash.Write(markup.Sum(nil))
		for _, prefix := range consentTexts {
			for _, key := range l.Keys(prefix) {
				fmt.Fprintf(hash, "%q %q", key, l.Text(key))
			}
		}
		words[l.Tag] = l.Tag + " " + hex.EncodeToString(hash.Sum(nil)[:8])
	}
	return words, nil
}

// versionOf is the version of the words in a language.
func versionOf(words string) string {
	_, version, _ := strings.Cut(words, " ")
	return version
}
