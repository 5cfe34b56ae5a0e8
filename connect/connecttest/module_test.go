package connecttest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// outside is an app's module of its own, which takes this repository's as they are here.
func outside(t *testing.T, requires []string, files map[string]string) (run func(args ...string) string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	text := "module example.com/app\n\ngo 1.26.0\n"
	for _, module := range requires {
		text += "\nrequire " + module + " v0.0.0\nreplace " + module + " => " + root + strings.TrimPrefix(module, "github.com/loop-health/loop") + "\n"
	}
	files["go.mod"] = text
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = folder
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
}

// mostModules is how many modules an app may inherit.
const mostModules = 12

func TestModule_AnAppInheritsFewOthers(t *testing.T) {
	t.Parallel()
	run := outside(t, []string{"github.com/loop-health/loop/connect"}, map[string]string{
		"app.go": "package app\n\nimport _ \"github.com/loop-health/loop/connect\"\n",
	})
	run("mod", "tidy")
	inherited := strings.Fields(run("list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}", "."))
	seen := make(map[string]bool)
	for _, module := range inherited {
		seen[module] = true
	}
	if len(seen) == 0 || len(seen) > mostModules {
		t.Errorf("an app inherits %d modules, and may inherit %d: %v", len(seen), mostModules, seen)
	}
	t.Logf("an app inherits %d modules", len(seen))
}

// An app outside this repository tests itself against the whole platform.
func TestModule_AnAppOutsideTestsItself(t *testing.T) {
	t.Parallel()
	run := outside(t, []string{"github.com/loop-health/loop", "github.com/loop-health/loop/connect", "github.com/loop-health/loop/connect/connecttest"}, map[string]string{
		"app.go": `package app

import (
	"context"

	"github.com/loop-health/loop/connect"
)

// Count is how many lab results a member has.
func Count(ctx context.Context, loop *connect.Client, member string) (count int, err error) {
	for _, err := range loop.For(member).Biomarkers.All(ctx, connect.BiomarkerQuery{}) {
		if err != nil {
			return 0, err
		}
		count++
	}
	return count, nil
}
`,
		"app_test.go": `package app

import (
	"errors"
	"testing"
	"time"

	"github.com/loop-health/loop/connect"
	"github.com/loop-health/loop/connect/connecttest"
)

func TestCount(t *testing.T) {
	loop := connecttest.New(t)
	ada := loop.AddMember(t, "Ada")
	loop.AddResults(t, ada, connecttest.Result{Code: "tsh", Value: "2.41"})
	client, err := connect.New(loop.NewApp(t, "http://localhost:5000/callback"))
	if err != nil {
		t.Fatal(err)
	}
	refuses := loop.NewBrowser(t, ada)
	refuses.Denies = true
	_, err = loop.ConnectWith(t, client, refuses)
	if denied, ok := errors.AsType[*connect.Error](err); !ok || denied.Code != "access_denied" {
		t.Errorf("a consent that was denied: %v", err)
	}
	if _, err := loop.Connect(t, client, ada); err != nil {
		t.Fatal(err)
	}
	if count, err := Count(t.Context(), client, ada.ID); err != nil || count != 1 {
		t.Errorf("%d results, %v", count, err)
	}
	loop.EndGrants(t, ada)
	if _, err := Count(t.Context(), client, ada.ID); !errors.Is(err, connect.ErrReconnect) {
		t.Errorf("a grant that was revoked: %v", err)
	}
	if _, err := loop.Connect(t, client, ada); err != nil {
		t.Fatal(err)
	}
	loop.Clock.Advance(91 * 24 * time.Hour)
	if _, err := Count(t.Context(), client, ada.ID); !errors.Is(err, connect.ErrReconnect) {
		t.Errorf("91 days later: %v", err)
	}
}
`,
	})
	run("mod", "tidy")
	if out := run("test", "./..."); !strings.Contains(out, "ok") {
		t.Error(out)
	}
}
