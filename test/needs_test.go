package test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// strict says that no test may be left out for what the machine lacks.
func strict() bool {
	return os.Getenv("CI") == "true" || os.Getenv("LOOP_TEST_STRICT") == "true"
}

// lacking leaves the test out, saying what the machine lacks; where nothing may
// be left out it fails.
func lacking(t *testing.T, what string) {
	t.Helper()
	if strict() {
		t.Fatalf("%s, and here nothing may be left out", what)
	}
	t.Skipf("left out: %s (./scripts/test --install gets it)", what)
}

// needChromium gives the path of the browser.
func needChromium(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("LOOP_TEST_CHROMIUM"); path != "" {
		return path
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	lacking(t, "there is no Chromium")
	return ""
}

// needPython gives the path of a Python that has the modules.
func needPython(t *testing.T, modules string) string {
	t.Helper()
	path := os.Getenv("LOOP_TEST_PYTHON")
	if path == "" {
		path = "python3"
	}
	if err := exec.CommandContext(t.Context(), path, "-c", "import "+modules).Run(); err != nil {
		lacking(t, "there is no Python with "+modules)
	}
	return path
}

// needFolder gives what scripts/test fetched into a folder of its cache, for a
// program that is there to run it.
func needFolder(t *testing.T, variable, program, what string) string {
	t.Helper()
	folder := os.Getenv(variable)
	_, missing := exec.LookPath(program)
	if _, err := os.Stat(folder); err != nil || missing != nil {
		lacking(t, "there is no "+what)
	}
	return folder
}

// seedFolder gives the folder of the quickstart as it was given, which lies
// beside the project and is not copied into it; empty where a clone has none.
func seedFolder(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("LOOP_TEST_SEED")
	if folder == "" {
		folder = filepath.Join("..", "..", "shared", "seed")
	}
	if _, err := os.Stat(filepath.Join(folder, "app.py")); err == nil {
		return folder
	}
	if strict() {
		t.Fatalf("the quickstart's own app is not in %s, and here nothing may be left out", folder)
	}
	return ""
}

// copyOf puts a byte-equal copy of a file into the folder and gives its hash.
func copyOf(t *testing.T, source, folder string) string {
	t.Helper()
	text, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(folder, filepath.Base(source))
	if err := os.WriteFile(target, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return hashOf(t, target)
}

func hashOf(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
