package locale

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"

	"golang.org/x/text/language"
)

// English is the language of who has chosen none that there is.
const English = "en"

//go:embed en/*.toml de/*.toml
var files embed.FS

// Texts are the texts of all languages.
type Texts struct{ languages []*Language }

// Load reads the texts, so that a broken file stops the boot.
func Load() (*Texts, error) { return Read(files) }

// Read reads texts from a folder for each language.
func Read(from fs.FS) (*Texts, error) {
	folders, err := fs.ReadDir(from, ".")
	if err != nil {
		return nil, err
	}
	t := &Texts{}
	for _, folder := range folders {
		l, err := newLanguage(from, folder.Name())
		if err != nil {
			return nil, fmt.Errorf("reading the texts in %s: %w", folder.Name(), err)
		}
		t.languages = append(t.languages, l)
	}
	english := slices.IndexFunc(t.languages, func(l *Language) bool { return l.Tag == English })
	if english < 0 {
		return nil, fmt.Errorf("there are no texts in %s", English)
	}
	t.languages[0], t.languages[english] = t.languages[english], t.languages[0]
	return t, nil
}

// Languages are all that there are, English first.
func (t *Texts) Languages() []*Language { return t.languages }

// Tags are the tags of all languages (BCP 47), English first.
func (t *Texts) Tags() []string {
	tags := make([]string, len(t.languages))
	for i, l := range t.languages {
		tags[i] = l.Tag
	}
	return tags
}

// maxWish is how much of a wish is read: a browser's list is a few dozen letters.
const maxWish = 1 << 10

// Match finds the language for a reader with these wishes, the first one that there is
// a language for: each is a tag such as de-AT, or a list of tags in the form of
// Accept-Language (RFC 9110 §12.5.4). A wish that is malformed, or for none of the
// languages, is passed over; without any it is English.
func (t *Texts) Match(wishes ...string) *Language {
	for _, wish := range wishes {
		if wish == "" || len(wish) > maxWish {
			continue
		}
		tags, _, err := language.ParseAcceptLanguage(wish) // best first
		if err != nil {
			continue
		}
		for _, tag := range tags {
			if l := t.find(tag); l != nil {
				return l
			}
		}
	}
	return t.languages[0]
}

// find gives the language of a tag, whatever its region; nil where there is none.
func (t *Texts) find(tag language.Tag) *Language {
	base, _ := tag.Base()
	for _, l := range t.languages {
		if l.Tag == base.String() {
			return l
		}
	}
	return nil
}

// Known gives the language with exactly this tag; nil where there is none.
func (t *Texts) Known(tag string) *Language {
	for _, l := range t.languages {
		if l.Tag == tag {
			return l
		}
	}
	return nil
}
