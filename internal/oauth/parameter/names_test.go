package parameter_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/oauth/parameter"
)

// read finds where code reads a parameter of a request by its name.
var read = regexp.MustCompile(`(?:params|form|Form|Parameters|outer)(?:\.Get|\.Has)?[(\[]"([a-z_]+)"|(?:Single|Required)\([A-Za-z.]+, "([a-z_]+)"`)

func TestNames_HoldsEveryParameterThatIsRead(t *testing.T) {
	t.Parallel()
	found := 0
	for _, pattern := range []string{"../*.go", "../clientauth/*.go", "../possession/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %d files", pattern, err, len(files))
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, match := range read.FindAllStringSubmatch(string(text), -1) {
				found++
				if name := match[1] + match[2]; name != "q" && !slices.Contains(parameter.Names(), name) { // q is of an Accept header
					t.Errorf("%s reads %s, and Names does not have it: one that is not well formed would be taken for absent", file, name)
				}
			}
		}
	}
	if found < 30 {
		t.Errorf("only %d places were found that read a parameter: the pattern is out of date", found)
	}
}
