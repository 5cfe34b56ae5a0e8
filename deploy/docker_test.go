package deploy_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

func TestDocker_TheImageIsTheBinaryAloneAndNobodyIsRoot(t *testing.T) {
	parsed, err := parser.Parse(bytes.NewReader(read(t, "docker/Dockerfile")))
	if err != nil {
		t.Fatal(err)
	}
	var warnings []string
	check := linter.New(&linter.Config{Warn: func(rule, _, _, message string, _ []parser.Range) { warnings = append(warnings, rule+": "+message) }})
	stages, _, err := instructions.Parse(parsed.AST, check)
	if err != nil {
		t.Fatal(err)
	}
	for _, warning := range warnings {
		t.Error(warning)
	}
	last := stages[len(stages)-1]
	if !strings.HasPrefix(last.BaseName, "gcr.io/distroless/static") {
		t.Errorf("the image is built on %s", last.BaseName)
	}
	user := ""
	for _, command := range last.Commands {
		switch command := command.(type) {
		case *instructions.UserCommand:
			user = command.User
		case *instructions.RunCommand, *instructions.AddCommand:
			t.Errorf("the image does more than copy: %v", command)
		case *instructions.CopyCommand:
			if command.From != stages[0].Name {
				t.Errorf("something is copied that was not built: %v", command)
			}
		case *instructions.EnvCommand:
			for _, variable := range command.Env {
				if strings.Contains(variable.Key, "MASTER_KEY") {
					t.Error("the image holds a master key")
				}
			}
		}
	}
	if user != "65532:65532" {
		t.Errorf("the image runs as %q", user)
	}
}
