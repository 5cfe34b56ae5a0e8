package connect

import (
	"flag"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write api.txt anew")

// declarations are the lines of `go doc -all` that stand at the margin: what an app can
// name.
var declarations = regexp.MustCompile(`(?m)^(func|type|var|const) .*$|^	[A-Z][A-Za-z]* .*$`)

// What an app can name is written down. A line that goes, or changes, breaks apps: this
// test is where that is seen before they do. (Apps outlive versions; new lines are
// welcome.)
func TestAPI_ChangesOnlyWhereItIsMeant(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{".", "./webhook"} {
		out, err := exec.CommandContext(t.Context(), "go", "doc", "-all", folder).Output()
		if err != nil {
			t.Fatal(err)
		}
		present := strings.Join(declarations.FindAllString(string(out), -1), "\n") + "\n"
		holdTo(t, filepath.Join(folder, "api.txt"), present)
	}
}

// holdTo compares what an app can name with what is written down.
func holdTo(t *testing.T, file, present string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(present), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if present != string(written) {
		t.Errorf("%s and the package differ: go test ./connect -update, and say in CHANGELOG.md what that means for apps", file)
	}
	for line := range strings.Lines(string(written)) {
		if !strings.Contains(present, line) {
			t.Errorf("gone, or changed: %s", line)
		}
	}
}

// called are what an app calls or compares with, by name: functions, methods, values.
// Methods that other packages ask for (fmt, slog, error, encoding) are not.
var called = regexp.MustCompile(`(?m)^func (?:\(\w+ \*?\w+\) )?([A-Z]\w*)|^(?:var|const) ([A-Z]\w*)|^	(PostgreSQL|SQLite)\b`)

func TestExamples_ShowEverythingThatAnAppCalls(t *testing.T) {
	t.Parallel()
	declared, err := os.ReadFile("api.txt")
	if err != nil {
		t.Fatal(err)
	}
	examples, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	others := []string{"Format", "GoString", "String", "LogValue", "MarshalText", "MarshalJSON", "UnmarshalJSON", "Error"}
	for _, found := range called.FindAllStringSubmatch(string(declared), -1) {
		name := strings.Join(found[1:], "")
		if !slices.Contains(others, name) && !regexp.MustCompile(`\.`+name+`\b`).Match(examples) {
			t.Errorf("no example shows %s", name)
		}
	}
}

// BenchmarkOverhead is what a call costs over a bare client, without a network.
func BenchmarkOverhead(b *testing.B) {
	for name, client := range benchmarked(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "https://clinical.example.com/v1/biomarkers/me", http.NoBody)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				response, err := client.Do(r)
				if err != nil {
					b.Fatal(err)
				}
				_ = response.Body.Close()
			}
		})
	}
}
