package test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loop-health/loop/test/process"
)

func TestTheSpringExampleReadsLabResults(t *testing.T) {
	needChromium(t)
	jars := filepath.Join(needFolder(t, "LOOP_TEST_SPRING_JARS", "javac", "a JDK with Spring's libraries"), "*")
	p := startPlatform(t, "--no-quickstart")
	folder := t.TempDir()
	source := filepath.Join("..", "examples", "java-spring", "src", "main")
	copyOf(t, filepath.Join(source, "resources", "application.yml"), folder)
	program, err := filepath.Glob(filepath.Join(source, "java", "example", "*.java"))
	if err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "javac", append([]string{"-parameters", "-d", folder, "-cp", jars}, program...)...)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("javac: %v\n%s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), "java", "-cp", strings.Join([]string{folder, jars}, ":"), "example.App")
	cmd.Env = process.Inherit(p.settings()...)
	app := process.Start(t, cmd)
	app.AwaitLine(t, app.Stdout, "open ")
	p.readsResults(t)
	p.verifyAudit(t)
}
