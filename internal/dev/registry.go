package dev

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/loop-health/loop/internal/admin"
)

// registry is a folder of the user's with one small file for each platform that
// runs, so that it is found from anywhere. What a killed one left behind is
// recognised, since nothing answers there, and cleared away.
type registry struct{ folder string }

// openRegistry finds the folder: the session's own where there is one, which is
// empty after a restart of the machine, else the user's cache.
func openRegistry(env Environment) (*registry, error) {
	base := env.Get("XDG_RUNTIME_DIR")
	if base == "" {
		base = env.Get("XDG_CACHE_HOME")
	}
	if base == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("there is no place to note that the platform runs: %w", err)
		}
		base = cache
	}
	return &registry{folder: filepath.Join(base, "loop-dev")}, nil
}

func (r *registry) entry(folder string) string {
	hash := sha256.Sum256([]byte(folder))
	return filepath.Join(r.folder, hex.EncodeToString(hash[:8]))
}

// add notes that a platform runs in the folder.
func (r *registry) add(folder string) error {
	if err := os.MkdirAll(r.folder, 0o700); err != nil {
		return err
	}
	return writeFile(r.entry(folder), []byte(folder+"\n"))
}

// remove forgets it.
func (r *registry) remove(folder string) error { return os.Remove(r.entry(folder)) }

// running gives the platforms that answer.
func (r *registry) running(ctx context.Context) []*Instance {
	entries, err := os.ReadDir(r.folder)
	if err != nil {
		return nil // nothing was ever noted
	}
	var instances []*Instance
	for _, entry := range entries {
		path := filepath.Join(r.folder, entry.Name())
		text, err := os.ReadFile(path) //nolint:gosec // G304: a file of our own folder
		if err != nil || strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		folder := strings.TrimSpace(string(text))
		instance, err := dial(ctx, folder)
		if err != nil {
			_ = os.Remove(path)
			continue
		}
		instances = append(instances, instance)
	}
	return instances
}

func dial(ctx context.Context, folder string) (*Instance, error) {
	remote, err := admin.Dial(ctx, folder)
	if err != nil {
		return nil, err
	}
	return &Instance{Folder: folder, Status: remote.Status, remote: remote}, nil
}
