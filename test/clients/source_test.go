package clients

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"

	"github.com/loop-health/loop/internal/registration/library"
)

// Ways in which a library is tried.
const (
	byReadme = "readme"
	withPKCE = "pkce"
	byLines  = "lines"
)

// lines are the settings of the library in the way that it is tried.
func lines(t *testing.T, c client, way string, values library.Values) string {
	t.Helper()
	if way == byLines {
		filled, err := find(t, c.id).Filled(values)
		if err != nil {
			t.Fatal(err)
		}
		return filled
	}
	parsed, err := template.ParseFiles(c.readme())
	if err != nil {
		t.Fatal(err)
	}
	var filled strings.Builder
	if err := parsed.Execute(&filled, struct {
		library.Values
		PKCE bool
	}{values, way == withPKCE}); err != nil {
		t.Fatal(err)
	}
	return filled.String()
}

// extension is what the names of a runtime's sources end with. Those of Go are no files
// of Go before the lines are in them.
var extension = map[string]string{"python": ".py", "node": ".mjs", "go": ".go.txt", "java": ".java", "rust": ".rs", "browser": ".mjs"}

func (c client) readme() string {
	return filepath.Join(c.runtime, c.id+".readme"+extension[c.runtime])
}

// switchesPKCE reports whether the README's lines have a switch for PKCE, which is off.
func (c client) switchesPKCE(t *testing.T) bool {
	t.Helper()
	text, err := os.ReadFile(c.readme())
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(text), ".PKCE")
}

// write puts the app with the lines into the folder, and what the apps of its runtime
// share.
func (c client) write(t *testing.T, folder, lines string) (source string) {
	t.Helper()
	shared, err := filepath.Glob(filepath.Join(c.runtime, "small*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range shared {
		copyFile(t, file, filepath.Join(folder, strings.TrimSuffix(filepath.Base(file), ".txt")), "")
	}
	source = filepath.Join(folder, strings.TrimSuffix("app"+extension[c.runtime], ".txt"))
	copyFile(t, filepath.Join(c.runtime, c.id+extension[c.runtime]), source, lines)
	return source
}

// copyFile copies a source; its line LINES, a comment, becomes the lines, each as far
// to the right.
func copyFile(t *testing.T, from, to, lines string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for line := range strings.Lines(string(text)) {
		if before, marked := strings.CutSuffix(strings.TrimRight(line, "\n"), "LINES"); marked {
			indent := before[:len(before)-len(strings.TrimLeft(before, " \t"))]
			for put := range strings.Lines(strings.TrimSpace(lines)) {
				out.WriteString(indent + put)
			}
			line = "\n"
		}
		out.WriteString(line)
	}
	if err := os.WriteFile(to, []byte(out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}
