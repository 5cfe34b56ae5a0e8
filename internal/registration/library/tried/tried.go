// Package tried is what came of trying the client libraries of the table: test/clients
// writes it into a file of its own, and the page Works with of the documentation is made
// of it. It is for tests alone.
package tried

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Library is what came of trying one library.
type Library struct {
	ID      string `json:"library"`
	Version string `json:"version"` // as the library says it
	Date    string `json:"date"`    // 2006-01-02

	Readme Verdict  `json:"readme"`         // by its README
	PKCE   *Verdict `json:"pkce,omitempty"` // the same with PKCE on; nil where there is no such switch
	Lines  Verdict  `json:"lines"`          // by the table's lines
	Steps  Steps    `json:"steps"`          // with these
}

// Verdict is whether an app went all the way, and why not.
type Verdict struct {
	Works bool `json:"works"`
	// Step is the one that failed.
	Step string `json:"step,omitempty"`
	// Refusal is the last error that the platform answered until then, and its description.
	Refusal string `json:"refusal,omitempty"`
	// Shown is what the app showed of it.
	Shown string `json:"shown,omitempty"`
}

// Steps are what each step came to; "none" where the library has no such thing.
type Steps struct {
	Refresh    string `json:"refresh"`    // twice in a row
	Together   string `json:"together"`   // two refreshes at once
	Expiry     string `json:"expiry"`     // user information with a token that has expired
	Disconnect string `json:"disconnect"` // by the app; else by the member
	Afterwards string `json:"afterwards"` // what the app shows of a refresh after that
}

// Read reads the file.
func Read(file string) ([]Library, error) {
	text, err := os.ReadFile(file) //nolint:gosec // a test names it
	if err != nil {
		return nil, err
	}
	var all []Library
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	return all, nil
}

// Put writes the results into the file in place of older ones of the same libraries.
func Put(file string, results []Library) error {
	all, err := Read(file)
	if err != nil {
		return err
	}
	for _, result := range results {
		all = slices.DeleteFunc(all, func(l Library) bool { return l.ID == result.ID })
	}
	all = append(all, results...)
	slices.SortFunc(all, func(a, b Library) int { return strings.Compare(a.ID, b.ID) })
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	return os.WriteFile(file, []byte(text.String()), 0o600)
}

// Find gives a library's result.
func Find(all []Library, id string) (Library, bool) {
	at := slices.IndexFunc(all, func(l Library) bool { return l.ID == id })
	if at < 0 {
		return Library{}, false
	}
	return all[at], true
}
