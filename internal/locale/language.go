package locale

import (
	"fmt"
	"html"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

// Language is a language with its texts.
type Language struct {
	Tag  string // BCP 47, such as en
	Name string // in the language itself

	tag     language.Tag
	texts   map[string]entry
	printer *message.Printer
}

func newLanguage(from fs.FS, folder string) (*Language, error) {
	tag, err := language.Parse(folder)
	if err != nil {
		return nil, err
	}
	texts, err := readTexts(from, folder)
	if err != nil {
		return nil, err
	}
	l := &Language{Tag: folder, tag: tag, texts: texts, printer: message.NewPrinter(tag)}
	l.Name = l.Text("language.name")
	return l, nil
}

// Has reports whether there is a text with this key, and whether it counts something.
func (l *Language) Has(key string) (there, counts bool) {
	e, there := l.texts[key]
	return there, e.forms != nil
}

// Keys are the keys of all texts that begin with a prefix, sorted.
func (l *Language) Keys(prefix string) []string {
	keys := slices.Sorted(maps.Keys(l.texts))
	return slices.DeleteFunc(keys, func(key string) bool { return !strings.HasPrefix(key, prefix) })
}

// Text is a text filled in with its arguments. A key that there is no text for is
// given back as it is: tests hold every key in use to a text.
func (l *Language) Text(key string, args ...any) string {
	e, there := l.texts[key]
	if !there {
		return key
	}
	return fill(e.text, l.arguments(args))
}

// Count is a text that says how many, in the plural form of the language. Its first
// place is the number, the arguments follow.
func (l *Language) Count(key string, n int, args ...any) string {
	e, there := l.texts[key]
	if !there {
		return key
	}
	return fill(e.form(l.tag, n), l.arguments(append([]any{n}, args...)))
}

// formNames are the plural forms of CLDR.
var formNames = map[string]plural.Form{
	"zero": plural.Zero, "one": plural.One, "two": plural.Two, "few": plural.Few, "many": plural.Many, other: plural.Other,
}

func (e entry) form(tag language.Tag, n int) string {
	form := plural.Cardinal.MatchPlural(tag, n, 0, 0, 0, 0)
	for name, text := range e.forms {
		if formNames[name] == form {
			return text
		}
	}
	return e.forms[other]
}

// arguments writes what a text is filled in with: numbers and days as the language
// writes them.
func (l *Language) arguments(args []any) []string {
	written := make([]string, len(args))
	for i, arg := range args {
		written[i] = l.Argument(arg)
	}
	return written
}

// Argument writes one argument of a text.
func (l *Language) Argument(arg any) string {
	switch arg := arg.(type) {
	case string:
		return arg
	case int:
		return l.Number(arg)
	case time.Time:
		return l.Day(arg)
	case time.Duration:
		return l.Wait(arg)
	default:
		return fmt.Sprint(arg)
	}
}

// Number writes a whole number with the separators of the language.
func (l *Language) Number(n int) string { return l.printer.Sprint(number.Decimal(n)) }

// Decimal writes a number, given with a point, with the language's decimal separator. Its
// digits stay as they are: none is rounded, and none set apart.
func (l *Language) Decimal(digits string) string {
	separator := strings.Trim(l.printer.Sprint(number.Decimal(1.5)), "15")
	return strings.Replace(digits, ".", separator, 1)
}

// fill puts arguments into their places, in one go: what looks like a place within an
// argument is none.
func fill(text string, args []string) string {
	if len(args) == 0 {
		return text
	}
	pairs := make([]string, 0, 2*len(args))
	for i, arg := range args {
		pairs = append(pairs, "{"+strconv.Itoa(i)+"}", arg)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// Escaped is Text for HTML: the text is escaped, the arguments are HTML as they are.
func (l *Language) Escaped(key string, args ...any) string {
	return fill(html.EscapeString(l.Text(key)), l.arguments(args))
}
