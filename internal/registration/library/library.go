// Package library is the table of client libraries that people build apps with: what
// each needs of a client's registration, and the lines that make it work. The portal's
// form, the page Works with of the documentation and tests of the libraries themselves
// read it. It knows nothing of how a client is registered.
package library

import (
	_ "embed" // the table
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/loop-health/loop/internal/loop"
)

//go:embed libraries.toml
var text string

// Library is one client library.
type Library struct {
	ID       string `toml:"id"`
	Name     string `toml:"name"`
	Language string `toml:"language"`
	Version  string `toml:"version"` // with which it was measured; empty: a kind of app

	Type       loop.ClientType `toml:"type"` // empty: it serves both
	Algorithm  loop.Algorithm  `toml:"algorithm"`
	AuthMethod loop.AuthMethod `toml:"auth_method"` // of a confidential client
	Grace      int             `toml:"grace"`       // seconds

	Code  string   `toml:"code"`  // the language of the lines
	Lines string   `toml:"lines"` // a template of Values
	Notes []string `toml:"notes"` // what else to know, in Markdown
}

// Values are those of an app that the lines name.
type Values struct {
	ClientID    loop.ClientID
	Issuer      string
	RedirectURI string
	Scope       string
}

// Table is the libraries in the order in which they are offered.
type Table []Library

// Read reads the table; a library that could not be registered as it says is an error.
func Read() (Table, error) {
	var file struct {
		Library []Library `toml:"library"`
	}
	meta, err := toml.Decode(text, &file)
	if err != nil {
		return nil, fmt.Errorf("reading the table of libraries: %w", err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return nil, fmt.Errorf("the table of libraries has a key %s, which nobody reads", unknown[0])
	}
	table := Table(file.Library)
	for i, l := range table {
		if err := l.check(); err != nil {
			return nil, fmt.Errorf("the library %q: %w", l.ID, err)
		}
		if _, twice := table[:i].Find(l.ID); twice {
			return nil, fmt.Errorf("the library %q is there twice", l.ID)
		}
	}
	return table, nil
}

func (l Library) check() error {
	if l.ID == "" || l.Name == "" || l.Language == "" || l.Code == "" {
		return errors.New("it needs an id, a name, a language and the language of its lines")
	}
	if !slices.Contains(loop.Algorithms(), l.Algorithm) || l.Grace < 0 || l.Grace > int(loop.MaxRefreshGrace/time.Second) {
		return errors.New("its algorithm or its grace period is not on offer")
	}
	if l.Type == loop.Public && l.AuthMethod != loop.AuthNone || l.Type != loop.Public && !l.AuthMethod.BySecret() {
		return errors.New("its authentication method does not fit its type")
	}
	_, err := l.Filled(Values{})
	return err
}

// Find gives the library with this id.
func (t Table) Find(id string) (Library, bool) {
	at := slices.IndexFunc(t, func(l Library) bool { return l.ID == id })
	if at < 0 {
		return Library{}, false
	}
	return t[at], true
}

// Apply sets what the library needs of a client. The type of a client is not changed.
func (l Library) Apply(c *loop.Client) {
	c.Protocol.Software = l.ID
	c.Protocol.IDTokenAlgorithm = l.Algorithm
	c.RefreshGrace = time.Duration(l.Grace) * time.Second
	if c.Type == loop.Confidential && l.AuthMethod.BySecret() {
		c.Protocol.AuthMethod = l.AuthMethod
	}
}

// Filled are the lines with an app's values.
func (l Library) Filled(values Values) (string, error) {
	lines, err := template.New(l.ID).Option("missingkey=error").Parse(strings.TrimLeft(l.Lines, "\n"))
	if err != nil {
		return "", err
	}
	var out strings.Builder
	if err := lines.Execute(&out, values); err != nil {
		return "", err
	}
	return out.String(), nil
}

// Label is how a form offers the library.
func (l Library) Label() string {
	if l.Version == "" {
		return strings.ToUpper(l.Name[:1]) + l.Name[1:]
	}
	return l.Name
}
