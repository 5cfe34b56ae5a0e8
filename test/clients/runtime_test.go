package clients

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// runtimes say how an app is started, from a folder of its own.
var runtimes = map[string]func(t *testing.T, folder, source string) *exec.Cmd{
	"python": func(t *testing.T, _, source string) *exec.Cmd {
		t.Helper()
		python := need(t, "LOOP_TEST_CLIENTS_PYTHON", "Python with the libraries of test/clients/python")
		return exec.Command(python, source)
	},
	// Node looks for modules where the program is. Node 18, Debian 12's, has Web
	// Cryptography by a flag that later ones ignore.
	"node": func(t *testing.T, folder, source string) *exec.Cmd {
		t.Helper()
		modules := need(t, "LOOP_TEST_CLIENTS_NODE", "Node.js with the libraries of test/clients/node")
		if err := os.Symlink(modules, filepath.Join(folder, "node_modules")); err != nil {
			t.Fatal(err)
		}
		return exec.Command("node", "--experimental-global-webcrypto", source)
	},
	// The folder with go.mod says which versions are meant; the sources may be elsewhere.
	"go": func(t *testing.T, folder, source string) *exec.Cmd {
		t.Helper()
		binary := filepath.Join(folder, "app")
		build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, source, filepath.Join(folder, "small_app.go"))
		build.Dir, build.Env = "go", append(os.Environ(), "GOWORK=off", "GOFLAGS=-trimpath")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("building %s: %v\n%s", source, err, out)
		}
		return exec.Command(binary)
	},
}

// need gives a path that scripts/test set. Without it the test is left out; where
// nothing may be left out it fails.
func need(t *testing.T, variable, what string) string {
	t.Helper()
	path := os.Getenv(variable)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	if os.Getenv("CI") == "true" || os.Getenv("LOOP_TEST_STRICT") == "true" {
		t.Fatalf("there is no %s, and here nothing may be left out", what)
	}
	t.Skipf("left out: there is no %s (./scripts/test system gets it)", what)
	return ""
}
