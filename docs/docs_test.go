package docs_test

import (
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/loop-health/loop/docs"
	"github.com/loop-health/loop/internal/locale"
	"github.com/loop-health/loop/internal/loop"
)

var update = flag.Bool("update", false, "write the code of the files under test into the pages")

func pages(t *testing.T) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(docs.Files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(name, ".md") {
			names = append(names, name)
		}
		return err
	})
	if err != nil || len(names) == 0 {
		t.Fatalf("there are no pages: %v", err)
	}
	return names
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// included is a fence that names a region of a file: language, file, region, code.
var included = regexp.MustCompile("(?ms)^```([a-z]+) (\\S+)#(\\S+)\n(.*?)^```$")

func TestCodeThatNamesAFileIsThatFilesCode(t *testing.T) {
	count := 0
	for _, name := range pages(t) {
		page := read(t, name)
		mended := included.ReplaceAllStringFunc(page, func(fence string) string {
			count++
			part := included.FindStringSubmatch(fence)
			code := region(t, filepath.Join("..", filepath.FromSlash(part[2])), part[3])
			return "```" + part[1] + " " + part[2] + "#" + part[3] + "\n" + code + "```"
		})
		if page == mended {
			continue
		}
		if !*update {
			t.Errorf("%s shows other code than the files that it names: go test ./docs -update", name)
			continue
		}
		if err := os.WriteFile(name, []byte(mended), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if count < 8 {
		t.Errorf("only %d pieces of code come from files under test", count)
	}
}

// region cuts a marked region out of a file, without its common indentation and
// without empty lines around it.
func region(t *testing.T, file, name string) string {
	t.Helper()
	_, rest, found := strings.Cut(read(t, file), "docs:begin "+name+"\n")
	code, _, ended := strings.Cut(rest, "docs:end "+name+"\n")
	if !found || !ended {
		t.Fatalf("%s has no region %s", file, name)
	}
	code = strings.TrimRight(code[:strings.LastIndex(code, "\n")+1], "\n \t")
	lines := strings.Split(strings.TrimLeft(code, "\n"), "\n")
	indent := lines[0][:len(lines[0])-len(strings.TrimLeft(lines[0], " \t"))]
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], indent)
	}
	return strings.Join(lines, "\n") + "\n"
}

func TestEveryPageIsInTheContentsOrAboutAnError(t *testing.T) {
	var listed []string
	for _, section := range docs.Contents() {
		for _, entry := range section.Entries {
			for _, page := range entry.Pages {
				listed = append(listed, page.File+".md")
			}
		}
	}
	for _, code := range loop.Codes() {
		listed = append(listed, "errors/"+string(code)+".md")
	}
	found := pages(t)
	for _, name := range found {
		if !slices.Contains(listed, name) {
			t.Errorf("nothing leads to %s", name)
		}
	}
	for _, name := range listed {
		if !slices.Contains(found, name) {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestAPageBeginsWithItsTitle(t *testing.T) {
	for _, name := range pages(t) {
		if !strings.HasPrefix(read(t, name), "# ") {
			t.Errorf("%s does not begin with a title", name)
		}
	}
}

// answers are the fences of a page that hold whole JSON.
var answers = regexp.MustCompile("(?ms)^```json\n(.*?)^```$")

func TestEveryErrorPageShowsAnAnswerWithItsCodeAndItsAddress(t *testing.T) {
	for _, code := range loop.Codes() {
		page := read(t, filepath.Join("errors", string(code)+".md"))
		if !strings.HasPrefix(page, "# "+string(code)+"\n") {
			t.Errorf("the page of %s has another title", code)
		}
		if strings.Contains(page, "?error="+string(code)+"\n") {
			continue // it travels by redirect
		}
		answer := answers.FindStringSubmatch(page)
		if answer == nil {
			t.Errorf("the page of %s shows no answer", code)
			continue
		}
		var body map[string]any
		if err := json.Unmarshal([]byte(answer[1]), &body); err != nil {
			t.Errorf("the answer on the page of %s is not JSON: %v", code, err)
			continue
		}
		uri, _ := body["error_uri"].(string)
		uri, _, _ = strings.Cut(uri, "?")
		if body["error"] != string(code) || !strings.HasSuffix(uri, "/docs/errors/"+string(code)) {
			t.Errorf("the answer on the page of %s is another's: %v", code, body)
		}
	}
}

func TestTheScopesPageNamesEveryScopeInTheWordsOfTheConsentPage(t *testing.T) {
	page := read(t, "scopes.md")
	texts, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range loop.ScopeRegistry() {
		if title := texts.Known("en").ScopeTitle(row.Scope); !strings.Contains(page, "| `"+string(row.Scope)+"` | **"+title+".** ") {
			t.Errorf("scopes.md does not show %s as %q", row.Scope, title)
		}
	}
}

// TestEveryErrorPageShowsWordsThatThePlatformSays: what a page gives as an answer
// is one, word for word, unless the page says that there is none yet.
func TestEveryErrorPageShowsWordsThatThePlatformSays(t *testing.T) {
	said := descriptions(t)
	for _, code := range loop.Codes() {
		page := read(t, filepath.Join("errors", string(code)+".md"))
		if strings.Contains(page, "in this version") {
			continue
		}
		shown := described.FindStringSubmatch(page)
		if shown == nil {
			t.Errorf("the page of %s shows no description", code)
			continue
		}
		text, err := url.QueryUnescape(shown[1] + strings.ReplaceAll(shown[2], "%", "%25"))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(said, func(pattern *regexp.Regexp) bool { return pattern.MatchString(text) }) {
			t.Errorf("the page of %s shows %q, which nothing says", code, text)
		}
	}
}

// described is the description on an error's page: in an address, or in JSON.
var described = regexp.MustCompile(`error_description(?:=([^\s&]+)|": "([^"]+)")`)

// descriptions are the texts in the platform's code that are long enough to be a
// description, each verb in them standing for anything.
func descriptions(t *testing.T) (patterns []*regexp.Regexp) {
	t.Helper()
	verbs := regexp.MustCompile(`%[sdvq]`)
	err := filepath.WalkDir(filepath.Join("..", "internal"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(node ast.Node) bool {
			literal, ok := node.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			if words := verbs.ReplaceAllString(text, ""); err == nil && len(words) > 20 && utf8.ValidString(text) && !strings.Contains(text, "\n") {
				patterns = append(patterns, regexp.MustCompile("^"+verbs.ReplaceAllString(regexp.QuoteMeta(text), ".+")+"$"))
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return patterns
}

// TestTheFlowsPageHasEveryErrorThatTravels: an app reads there in how many ways
// its request can end.
func TestTheFlowsPageHasEveryErrorThatTravels(t *testing.T) {
	flow, drawing := read(t, "authorization-flow.md"), read(t, "authorization-flow.svg")
	for _, code := range loop.Codes() {
		page := read(t, filepath.Join("errors", string(code)+".md"))
		travels := strings.Contains(page, "?error="+string(code)+"\n") || strings.Contains(page, "**Redirect from authorize")
		if !travels || strings.Contains(page, "in this version") {
			continue
		}
		if !strings.Contains(flow, "](errors/"+string(code)+".md)") {
			t.Errorf("authorization-flow.md does not say when %s comes", code)
		}
		if !strings.Contains(drawing, `<a href="/docs/errors/`+string(code)+`">`) {
			t.Errorf("authorization-flow.svg does not draw when %s comes", code)
		}
	}
}
