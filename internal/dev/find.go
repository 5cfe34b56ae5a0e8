package dev

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/loop-health/loop/internal/admin"
)

// StateFolder is the name of the state folder where none is given.
const StateFolder = ".loop"

// Instance is a platform of `loop dev` that runs, as other commands see it.
type Instance struct {
	Folder string
	Status admin.Status
	remote *admin.Remote
}

// Search says where to look for a platform.
type Search struct {
	Dir         string // what --dir named; empty: search
	WorkingDir  string
	Environment Environment
	Command     string // how this program is called, for hints
}

// Find finds the running platform that is meant: in the folder that was named,
// else in .loop here or in a folder above, else the only one that runs.
func (s Search) Find(ctx context.Context) (*Instance, error) {
	folder, err := s.Folder(ctx)
	if err != nil {
		return nil, err
	}
	instance, err := dial(ctx, folder)
	if errors.Is(err, admin.ErrNotRunning) {
		return nil, fmt.Errorf("the platform in %s does not run: start it with %s", folder, s.start(folder))
	}
	return instance, err
}

// Folder finds the state folder that is meant, whether its platform runs or not.
func (s Search) Folder(ctx context.Context) (string, error) {
	if s.Dir != "" {
		folder := s.absolute(s.Dir)
		if isServers(folder) {
			return "", fmt.Errorf("%s is the folder of a platform that loop serve runs, and it does not run: name its configuration with --config FILE, or set LOOP_DIR and the other LOOP_ variables, so that it can be opened here", folder)
		}
		if !isStateFolder(folder) {
			return "", fmt.Errorf("%s is not a state folder of loop dev: make it one with %s", folder, s.start(folder))
		}
		return folder, nil
	}
	for dir := s.WorkingDir; ; dir = filepath.Dir(dir) {
		if folder := filepath.Join(dir, StateFolder); holdsPlatform(folder) {
			return folder, nil
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	return s.running(ctx)
}

// running gives the folder of the only platform that runs.
func (s Search) running(ctx context.Context) (string, error) {
	registry, err := openRegistry(s.Environment)
	if err != nil {
		return "", err
	}
	instances := registry.running(ctx)
	switch len(instances) {
	case 0:
		return "", fmt.Errorf("no platform was found, neither in %s here or above, nor running elsewhere: start one with %s dev", StateFolder, s.Command)
	case 1:
		return instances[0].Folder, nil
	}
	folders := make([]string, len(instances))
	for i, instance := range instances {
		folders[i] = instance.Folder
	}
	return "", fmt.Errorf("%d platforms run: say which one with --dir and one of %s", len(folders), strings.Join(folders, ", "))
}

func (s Search) absolute(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(s.WorkingDir, path)
}

// start is the command that starts a platform in the folder.
func (s Search) start(folder string) string {
	return s.Command + " dev" + s.dirFlag(folder)
}

// dirFlag names the folder where it would not be found without.
func (s Search) dirFlag(folder string) string {
	if folder == filepath.Join(s.WorkingDir, StateFolder) {
		return ""
	}
	return " --dir " + quote(folder)
}

// quote writes a path so that a shell reads it as one word.
func quote(text string) string {
	if text != "" && strings.IndexFunc(text, func(r rune) bool {
		return !strings.ContainsRune("/._-+:@%,=", r) && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) < 0 {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// Stop ends the platform and returns when it has ended.
func (i *Instance) Stop(ctx context.Context) error { return i.remote.Stop(ctx) }
