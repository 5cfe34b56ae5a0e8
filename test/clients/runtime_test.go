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
	// Node serves the page, and no more.
	"browser": func(t *testing.T, folder, _ string) *exec.Cmd {
		t.Helper()
		chromium(t)
		modules := need(t, "LOOP_TEST_CLIENTS_NODE", "Node.js with the libraries of test/clients/node")
		if err := os.Symlink(modules, filepath.Join(folder, "node_modules")); err != nil {
			t.Fatal(err)
		}
		return exec.Command("node", "small_server.mjs")
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
	"java": func(t *testing.T, folder, source string) *exec.Cmd {
		t.Helper()
		jars := filepath.Join(need(t, "LOOP_TEST_CLIENTS_JARS", "JDK with the libraries of test/clients/java"), "*")
		compile := exec.CommandContext(t.Context(), "javac", "-cp", jars, "-d", folder, source, filepath.Join(folder, "small_app.java"))
		if out, err := compile.CombinedOutput(); err != nil {
			t.Fatalf("compiling %s: %v\n%s", source, err, out)
		}
		return exec.Command("java", "-cp", jars+":"+folder, "App")
	},
	// Cargo builds in the folder in which scripts/test has built the libraries.
	"rust": func(t *testing.T, folder, source string) *exec.Cmd {
		t.Helper()
		built := need(t, "LOOP_TEST_CLIENTS_RUST", "Cargo with the libraries of test/clients/rust")
		for _, name := range []string{"Cargo.toml", "Cargo.lock"} {
			copyFile(t, filepath.Join("rust", name), filepath.Join(folder, name), "")
		}
		manifest := filepath.Join(folder, "Cargo.toml")
		build := exec.CommandContext(t.Context(), "cargo", "build", "--quiet", "--locked", "--manifest-path", manifest)
		build.Env = append(os.Environ(), "CARGO_TARGET_DIR="+built)
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("building %s: %v\n%s", source, err, out)
		}
		binary := filepath.Join(folder, "app")
		if err := os.Rename(filepath.Join(built, "debug", "app"), binary); err != nil {
			t.Fatal(err)
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
