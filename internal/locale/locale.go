package locale

import (
	"embed"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/loop-health/loop/internal/loop"
)

// English is the language of who has chosen none that there is.
const English = "en"

//go:embed *.toml
var files embed.FS

// Texts are the texts of all languages.
type Texts struct{ byLanguage map[string]map[string]string }

// Load reads the texts, so that a broken file stops the boot.
func Load() (*Texts, error) {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil, err
	}
	t := &Texts{byLanguage: map[string]map[string]string{}}
	for _, entry := range entries {
		texts := map[string]string{}
		if _, err := toml.DecodeFS(files, entry.Name(), &texts); err != nil {
			return nil, fmt.Errorf("reading the texts %s: %w", entry.Name(), err)
		}
		t.byLanguage[strings.TrimSuffix(entry.Name(), path.Ext(entry.Name()))] = texts
	}
	return t, nil
}

// maxArgument is how many letters of what others wrote a text repeats.
const maxArgument = 40

// Notice is what a member reads, in their language where it is there. What others
// wrote, such as an app's name, is shortened.
func (t *Texts) Notice(tag string, notice loop.Notice) string {
	key, args := notice.Parts()
	if key == "" {
		return strings.Join(args, " ") // a sentence that an earlier release kept
	}
	text := t.text(tag, key)
	for i, arg := range args {
		text = strings.ReplaceAll(text, "{"+strconv.Itoa(i)+"}", shorten(arg))
	}
	return text
}

// text is a key's text in the language of a tag such as de-AT, else in English.
func (t *Texts) text(tag, key string) string {
	language, _, _ := strings.Cut(tag, "-")
	if text, ok := t.byLanguage[language][key]; ok {
		return text
	}
	return t.byLanguage[English][key]
}

func shorten(text string) string {
	letters := []rune(text)
	if len(letters) <= maxArgument {
		return text
	}
	return string(letters[:maxArgument-1]) + "…"
}
