package dev

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Run runs a program inside the platform's world (`loop dev run`). On Unix it
// replaces this process and returns only on failure; elsewhere it gives the
// program's exit status. Whoever runs another app than that of dev.env hears so
// on note: they may have forgotten that their shell names one.
func (i *Instance) Run(command []string, given Environment, note io.Writer) (status int, err error) {
	env, own, err := i.Environment(given)
	if err != nil {
		return 1, err
	}
	if own != "" {
		_, _ = fmt.Fprintf(note, "loop: it runs as the app %s that your environment names, not as that of %s\n", own, devEnvFile)
	}
	path, err := lookPath(command[0], given)
	if err != nil {
		return 1, err
	}
	status, err = execute(path, command, env)
	if err != nil {
		return 1, fmt.Errorf("%s can't be run: %w", command[0], err)
	}
	return status, nil
}

// lookPath finds a program in the PATH of the given environment.
func lookPath(name string, env Environment) (string, error) {
	candidates := []string{name}
	if !strings.ContainsRune(name, filepath.Separator) {
		candidates = nil
		for _, dir := range filepath.SplitList(env.Get("PATH")) {
			candidates = append(candidates, filepath.Join(dir, name))
		}
	}
	for _, candidate := range candidates {
		path, err := exec.LookPath(candidate)
		if errors.Is(err, exec.ErrDot) {
			err = nil // PATH names a relative folder: the user's own choice
		}
		if err == nil {
			return path, nil
		}
	}
	if strings.ContainsRune(name, filepath.Separator) {
		if _, err := os.Stat(name); err == nil {
			return "", fmt.Errorf("%s is not a program that can be run", name)
		}
		return "", fmt.Errorf("there is no program %s", name)
	}
	return "", fmt.Errorf("there is no program named %s in your PATH", name)
}
