package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// unit writes the unit where systemd-analyze reads it, with a program in the
// place of the platform's that is there.
func unit(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("there is no systemd-analyze, and CI leaves nothing out")
		}
		t.Skip("left out: there is no systemd-analyze")
	}
	path := filepath.Join(t.TempDir(), "loop.service")
	text := strings.ReplaceAll(string(read(t, "systemd/loop.service")), "/usr/local/bin/loop", "/bin/true")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSystemd_KnowsEveryWordOfTheUnit(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", "--man=no", unit(t)).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "loop.service") { // and not of the machine's own units
			t.Error(line)
		}
	}
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// mostExposed is what systemd's own count of what a service could do may come to,
// of 100.
const mostExposed = "17"

func TestSystemd_TheServiceCanDoLittleBesideItsWork(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold="+mostExposed, unit(t)).CombinedOutput()
	if err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
}
