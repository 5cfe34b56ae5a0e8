package internal_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// required is a line of a go.mod that names a module of others in a version.
var required = regexp.MustCompile(`(?m)^(?:require)?\s+([\w./-]+\.[\w./-]+) (v[\w.+-]+)`)

// The modules of the workspace are built together, each dependency in the highest
// version that one of them names. A lower one in another go.mod would be a version
// that nobody builds or tests.
func TestModules_NameTheVersionsThatAreBuilt(t *testing.T) {
	type line struct{ file, version string }
	named := make(map[string]line)
	for _, folder := range []string{".", "bench", "connect", "connect/connecttest", "test"} {
		file := filepath.Join("..", folder, "go.mod")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range required.FindAllStringSubmatch(string(text), -1) {
			path, version := found[1], found[2]
			before, seen := named[path]
			if seen && before.version != version {
				t.Errorf("%s names %s %s, and %s names %s: go mod tidy in each, after go get of the newer", before.file, path, before.version, file, version)
			}
			named[path] = line{file, version}
		}
	}
	if len(named) < 20 {
		t.Errorf("only %d modules were found", len(named))
	}
}
