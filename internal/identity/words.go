package identity

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"

	"github.com/loop-health/loop/internal/locale"
	"github.com/loop-health/loop/internal/loop"
)

// consentWords names the words in which members are asked for consent: the language,
// and a hash of the pages and of what is said of each scope. A page in other words,
// as of another release, is shown again and grants nothing.
func consentWords(pages fs.FS, scopes []loop.ScopeInfo) (string, error) {
	hash := sha256.New()
	for _, page := range []string{"consent.html", "continue.html"} {
		text, err := fs.ReadFile(pages, page)
		if err != nil {
			return "", fmt.Errorf("reading the words of consent: %w", err)
		}
		fmt.Fprintf(hash, "%d %s", len(text), text)
	}
	for _, scope := range scopes {
		fmt.Fprintf(hash, "%q %q %q %q", scope.Scope, scope.Title, scope.Detail, scope.Cannot)
	}
	return locale.English + " " + hex.EncodeToString(hash.Sum(nil)[:8]), nil
}
