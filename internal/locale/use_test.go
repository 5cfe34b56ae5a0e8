package locale

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// built are the beginnings of keys that are put together where they are used, each
// with a test of its own that holds all of them to texts.
var built = []string{
	"calendar.month.", "calendar.short_month.", "calendar.weekday.", // a day's
	"fault.",            // of a code (Language.Fault)
	"scope.",            // of a scope (Language.ScopeTitle)
	"language.of.",      // of a language's tag
	"mail.",             // of a kind of mail
	"biomarker.",        // of the catalogue's codes
	"results.category.", // of the catalogue's
}

// keyInTemplate finds the keys that a template names.
var keyInTemplate = regexp.MustCompile(`"([a-z_]+(?:\.[a-z0-9_]+)+)"`)

// sources reads the files beneath internal with an ending.
func sources(t *testing.T, ending string, each func(path string, content []byte)) {
	t.Helper()
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ending) || strings.HasSuffix(path, "_test.go") {
			return err
		}
		content, err := os.ReadFile(path)
		if err == nil {
			each(path, content)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// literals are the strings in a Go file.
func literals(t *testing.T, path string, content []byte) (found []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, content, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			text, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, text)
		}
		return true
	})
	return found
}

// keyShaped are strings that look like a key of one of the files of texts.
func keyShaped(l *Language, text string) bool {
	file, rest, found := strings.Cut(text, ".")
	return found && rest != "" && !strings.ContainsAny(text, " /%:\"") && len(l.Keys(file+".")) > 0 && !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, ".html") && !strings.HasSuffix(text, ".go")
}

func TestTexts_EveryKeyIsUsedAndEveryUseHasAText(t *testing.T) {
	t.Parallel()
	english := loadTexts(t).Match(English)
	used := map[string]string{}
	sources(t, ".html", func(path string, content []byte) {
		for _, match := range keyInTemplate.FindAllSubmatch(content, -1) {
			used[string(match[1])] = path
		}
	})
	sources(t, ".go", func(path string, content []byte) {
		for _, text := range literals(t, path, content) {
			if there, _ := english.Has(text); there || strings.Contains(path, "account") && keyShaped(english, text) {
				used[text] = path
			}
		}
	})
	for key, path := range used {
		if there, _ := english.Has(key); !there && keyShaped(english, key) {
			t.Errorf("%s names %s, for which there is no text", path, key)
		}
	}
	for _, key := range english.Keys("") {
		byPart := slices.ContainsFunc(built, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
		if _, named := used[key]; !named && !byPart {
			t.Errorf("nothing uses %s", key)
		}
	}
}

// asTheyAre are the words on pages that are the same in every language.
var asTheyAre = []string{"Loop", "UTC"}

var (
	action    = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	comment   = regexp.MustCompile(`(?s)<!--.*?-->`)
	english   = regexp.MustCompile(`(?s)<section[^>]* lang="en"[^>]*>.*?</section>|<p[^>]* lang="en"[^>]*>.*?</p>`) // for an app's developer, and marked so
	spoken    = regexp.MustCompile(`\b(?:title|alt|placeholder|aria-label|aria-description|label)="([^"]*)"`)
	tag       = regexp.MustCompile(`(?s)<[^>]*>`)
	translate = []string{"../account/pages", "../identity/pages", "../web/pages/member_parts", "../web/pages/account.html", "../web/pages/member.html"}
)

func TestPages_SayNothingThatIsNotTranslated(t *testing.T) {
	t.Parallel()
	checked := 0
	sources(t, ".html", func(path string, content []byte) {
		if !slices.ContainsFunc(translate, func(prefix string) bool { return strings.HasPrefix(filepath.ToSlash(path), prefix) }) {
			return
		}
		checked++
		for _, said := range untranslated(string(content)) {
			t.Errorf("%s says %q by itself: name a text", path, said)
		}
	})
	if checked < 10 {
		t.Errorf("%d pages were found", checked)
	}
}

// untranslated are the words of a template that no text of a language says.
func untranslated(page string) (words []string) {
	page = action.ReplaceAllString(comment.ReplaceAllString(page, ""), "")
	page = english.ReplaceAllString(page, "")
	for _, attribute := range spoken.FindAllStringSubmatch(page, -1) {
		words = append(words, attribute[1])
	}
	for text := range strings.SplitSeq(tag.ReplaceAllString(page, "\x00"), "\x00") {
		words = append(words, strings.TrimSpace(text))
	}
	return slices.DeleteFunc(words, func(text string) bool {
		for _, word := range asTheyAre {
			text = strings.ReplaceAll(text, word, "")
		}
		return strings.IndexFunc(text, unicode.IsLetter) < 0
	})
}

func TestPages_UntranslatedWordsAreFound(t *testing.T) {
	t.Parallel()
	for page, want := range map[string]int{
		`<p>{{text "a.b"}} · Loop</p>`:                                   0,
		`<p>Hello {{.Name}}</p>`:                                         1,
		`<img alt="A face"><p>x</p>`:                                     2,
		`<a href="/account" title="{{text "a.b"}}">{{.}}</a>`:            0,
		`<section class="note" lang="en"><p>For</p>developers</section>`: 0,
		`{{if .A}}Yes{{else}}{{text "a.b"}}{{end}}`:                      1,
		`<button name="act" value="disconnect">{{text "a"}}</button>`:    0,
	} {
		if got := untranslated(page); len(got) != want {
			t.Errorf("%s: %q, not %d", page, got, want)
		}
	}
}
