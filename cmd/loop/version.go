package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

type versionCommand struct{}

// Run shows the version.
func (versionCommand) Run(p *process) error {
	_, err := fmt.Fprintf(p.stdout, "loop %s, %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// version is the module's version where the build knows it, else the commit,
// else that it is a build of its own.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	text := info.Main.Version
	if text == "" || text == "(devel)" {
		text = "development"
	}
	settings := make(map[string]string)
	for _, setting := range info.Settings {
		settings[setting.Key] = setting.Value
	}
	if commit := settings["vcs.revision"]; len(commit) >= 12 {
		text += ", commit " + commit[:12]
		if settings["vcs.modified"] == "true" {
			text += " with changes"
		}
	}
	return text
}
