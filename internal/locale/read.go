package locale

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/BurntSushi/toml"
)

// entry is a text: in one form, or in the plural forms of its language.
type entry struct {
	text  string            // without plural forms
	forms map[string]string // by the name of the form; nil: it has none
}

// readTexts reads the files of a language's folder. Each file's texts are named after
// the file, so two files can't have the same.
func readTexts(from fs.FS, folder string) (map[string]entry, error) {
	names, err := fs.Glob(from, folder+"/*.toml")
	if err != nil {
		return nil, err
	}
	texts := map[string]entry{}
	for _, name := range names {
		var tree map[string]any
		if _, err := toml.DecodeFS(from, name, &tree); err != nil {
			return nil, fmt.Errorf("%s: %w", path.Base(name), err)
		}
		if err := addTexts(texts, strings.TrimSuffix(path.Base(name), ".toml"), tree); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

// addTexts adds what is in a table of a file. A table with the form other is one text.
func addTexts(texts map[string]entry, prefix string, tree map[string]any) error {
	for name, value := range tree {
		key := prefix + "." + name
		switch value := value.(type) {
		case string:
			texts[key] = entry{text: value}
		case map[string]any:
			forms, plural, err := pluralForms(value)
			if err != nil {
				return fmt.Errorf("the text %s: %w", key, err)
			}
			if plural {
				texts[key] = entry{forms: forms}
			} else if err := addTexts(texts, key, value); err != nil {
				return err
			}
		default:
			return fmt.Errorf("the text %s is a %T: write a string, or a table of plural forms", key, value)
		}
	}
	return nil
}

// other is the plural form that every language has.
const other = "other"

func pluralForms(table map[string]any) (forms map[string]string, plural bool, err error) {
	if _, plural = table[other]; !plural {
		return nil, false, nil
	}
	forms = map[string]string{}
	for name, value := range table {
		text, ok := value.(string)
		if _, known := formNames[name]; !known || !ok {
			return nil, true, fmt.Errorf("%s is not the text of a plural form", name)
		}
		forms[name] = text
	}
	return forms, true, nil
}
