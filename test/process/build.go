package process

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// Build makes the binary as a developer would, from the project's folder; under
// -race it looks for data races too, and Raced reports whether a run had one.
// Tags are build tags, for a test that needs the binary with them.
func Build(ctx context.Context, project, path string, tags ...string) error {
	args := []string{"build", "-tags", strings.Join(tags, ",")}
	if raceEnabled {
		args = append(args, "-race")
	}
	command := exec.CommandContext(ctx, "go", append(args, "-o", path, "./cmd/loop")...)
	command.Dir = project
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("building the binary: %w\n%s", err, out)
	}
	return nil
}
