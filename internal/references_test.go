package internal_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	// textFiles are the endings of files whose words a reader of the repository meets.
	textFiles = []string{".go", ".md", ".sql", ".html", ".css", ".js", ".mjs", ".py", ".java", ".toml", ".yml", ".yaml", ".json", ".service", ".sh", ""}
	// document is a page that a text names by its file.
	document = regexp.MustCompile(`(?:^|[^%\w./-])([\w./-]*[\w-]\.md)\b`)
	// comment is what stands behind two slashes.
	comment = regexp.MustCompile(`//.*`)
	// elsewhere is how a text names a document, or a part of one, that is not in the repository.
	elsewhere = regexp.MustCompile(`(?i)\b(?:(?:platform|design|plan|brief)(?:'s)?[ ,]+section|section \d+ of the (?:platform|design|plan|brief)|(?:see |by |of )?issue #?\d|house[- ](?:plan|style))`)
)

// TestReferences_NameOnlyWhatIsInTheRepository: a comment, test or page cites
// what its reader can open: another page, or an RFC.
func TestReferences_NameOnlyWhatIsInTheRepository(t *testing.T) {
	read := 0
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name := entry.Name(); name != ".." && (strings.HasPrefix(name, ".") || name == "node_modules") {
				return fs.SkipDir
			}
			return nil
		}
		if !slices.Contains(textFiles, filepath.Ext(path)) || entry.Name() == "references_test.go" || !entry.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		read++
		for _, found := range elsewhere.FindAllString(string(text), -1) {
			t.Errorf("%s cites %q, which a reader of the repository can't open", path, found)
		}
		for _, found := range document.FindAllStringSubmatch(said(path, string(text)), -1) {
			if !isThere(filepath.Dir(path), found[1]) {
				t.Errorf("%s names %s, which is not in the repository", path, found[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if read < 500 {
		t.Errorf("only %d files were read", read)
	}
}

// said is what a file says to its reader: all of it, of a test the comments
// alone, since a test makes files up.
func said(path, text string) string {
	if !strings.HasSuffix(path, "_test.go") {
		return text
	}
	return strings.Join(comment.FindAllString(text, -1), "\n")
}

// isThere says whether a document can be found from a folder, from the
// repository's root, or among the pages of the documentation.
func isThere(folder, name string) bool {
	for _, root := range []string{folder, "..", filepath.Join("..", "docs")} {
		if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(name))); err == nil {
			return true
		}
	}
	return false
}
