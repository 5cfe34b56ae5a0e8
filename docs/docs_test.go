package docs_test

import (
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/loop-health/loop/docs"
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
		for _, page := range section.Pages {
			listed = append(listed, page+".md")
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
		if uri, _ := body["error_uri"].(string); body["error"] != string(code) || !strings.HasSuffix(uri, "/docs/errors/"+string(code)) {
			t.Errorf("the answer on the page of %s is another's: %v", code, body)
		}
	}
}

func TestTheScopesPageNamesEveryScopeInTheWordsOfTheConsentPage(t *testing.T) {
	page := read(t, "scopes.md")
	for _, row := range loop.ScopeRegistry() {
		if !strings.Contains(page, "| `"+string(row.Scope)+"` | **"+row.Title+".** ") {
			t.Errorf("scopes.md does not show %s as %q", row.Scope, row.Title)
		}
	}
}
