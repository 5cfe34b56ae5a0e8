package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/loop-health/loop/test/process"
)

func TestTheExpressExampleReadsLabResults(t *testing.T) {
	needChromium(t)
	modules := needFolder(t, "LOOP_TEST_EXPRESS_MODULES", "node", "Node.js with express and openid-client")
	p := startPlatform(t, "--no-quickstart")
	folder := t.TempDir()
	copyOf(t, filepath.Join("..", "examples", "node-express", "app.mjs"), folder)
	if err := os.Symlink(modules, filepath.Join(folder, "node_modules")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "--experimental-global-webcrypto", "app.mjs") // a flag that later ones ignore
	cmd.Dir = folder
	cmd.Env = process.Inherit(p.settings()...)
	app := process.Start(t, cmd)
	app.AwaitLine(t, app.Stdout, "open ")
	p.readsResults(t)
	p.verifyAudit(t)
}
