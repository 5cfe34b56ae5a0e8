package dev

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// Files of the state folder that this package writes, beside dev.env and the
// authority's.
const (
	settingsFile = "instance.json"
	masterFile   = "master.key"
	ignoreFile   = ".gitignore"

	ignoreAll = "*\n" // nothing of the state belongs in a repository
)

// prepareFolder makes the state folder, for its owner alone. A folder in use for
// something else is refused: `loop dev reset` deletes what is in it.
func prepareFolder(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("the folder %s can't be made (%w): choose another with --dir", folder, cause(err))
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("the folder %s can't be read (%w): choose another with --dir", folder, cause(err))
	}
	if len(entries) > 0 && !isStateFolder(folder) {
		return fmt.Errorf("the folder %s holds other things: choose an empty or a new one with --dir", folder)
	}
	if err := writeFile(filepath.Join(folder, ignoreFile), []byte(ignoreAll)); err != nil {
		return fmt.Errorf("the folder %s can't be written (%w): choose another with --dir", folder, cause(err))
	}
	return nil
}

// isStateFolder recognises a folder by the first file that is put in it.
func isStateFolder(folder string) bool {
	text, err := os.ReadFile(filepath.Join(folder, ignoreFile)) //nolint:gosec // G304: the folder that the user names
	return err == nil && string(text) == ignoreAll
}

// checkpointsFile is in the folder of every platform that has run.
const checkpointsFile = "audit-checkpoints.jsonl"

// isServers reports whether a folder is that of a platform that loop serve runs.
func isServers(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, checkpointsFile))
	return err == nil && !isStateFolder(folder)
}

// holdsPlatform distinguishes a folder whose platform has once run from one that a start
// made and then could not use: its port was taken, say.
func holdsPlatform(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, settingsFile))
	return err == nil && isStateFolder(folder)
}

// cause takes path and system call off an error whose sentence names them.
func cause(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	if link, ok := errors.AsType[*os.LinkError](err); ok {
		return link.Err
	}
	return err
}

// settings are what a folder remembers of the platform that it was made for.
type settings struct {
	Format int    `json:"format"`
	Issuer string `json:"issuer"`
	Domain string `json:"domain,omitempty"`
	Ports  Ports  `json:"ports"`
}

// settingsFormat is the format of settings that this version writes.
const settingsFormat = 1

// readSettings reads what the folder remembers; a new one remembers nothing.
func readSettings(folder string) (*settings, error) {
	path := filepath.Join(folder, settingsFile)
	text, err := os.ReadFile(path) //nolint:gosec // G304: a file of our own folder
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // a new folder
	}
	if err != nil {
		return nil, fmt.Errorf("the folder's settings can't be read: %w", err)
	}
	var s settings
	if err := json.Unmarshal(text, &s); err != nil || s.Format < 1 {
		return nil, fmt.Errorf("%s is damaged: start over with loop dev reset", path)
	}
	if s.Format > settingsFormat {
		return nil, fmt.Errorf("the folder %s was made by a newer version of loop: update this one, choose another folder with --dir, or start over with loop dev reset", folder)
	}
	return &s, nil
}

func (s *settings) write(folder string) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the folder's settings: %w", err)
	}
	return writeFile(filepath.Join(folder, settingsFile), append(text, '\n'))
}

// openMaster reads the folder's master key, or makes it. On a laptop it lies
// beside what it protects; a real platform's must not.
func openMaster(folder string, w loop.World) (*credential.Master, error) {
	path := filepath.Join(folder, masterFile)
	text, err := os.ReadFile(path) //nolint:gosec // G304: a file of our own folder
	if errors.Is(err, fs.ErrNotExist) {
		master, text := credential.NewMaster(w)
		return master, writeFile(path, []byte(text+"\n"))
	}
	if err != nil {
		return nil, fmt.Errorf("the folder's master key can't be read: %w", err)
	}
	master, err := credential.ParseMaster(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s is damaged, and what it protects is lost: start over with loop dev reset", path)
	}
	return master, nil
}

// ReadOpening gives what the platform of a folder was opened with last, for a
// command that acts on it while it does not run. The caller holds the lock.
func ReadOpening(folder string, w loop.World, log *slog.Logger) (*Opening, error) {
	remembered, err := readSettings(folder)
	if err != nil {
		return nil, err
	}
	if remembered == nil {
		return nil, fmt.Errorf("the folder %s has no platform yet: start it once with loop dev", folder)
	}
	master, err := openMaster(folder, w)
	if err != nil {
		return nil, err
	}
	l := layout{domain: remembered.Domain, ports: remembered.Ports}
	l.address()
	return &Opening{
		Folder: folder, Identity: l.identity, Clinical: l.clinical, Developers: l.developers,
		Master: master, World: w, Log: log, HTTP: &http.Client{Timeout: clientTimeout},
	}, nil
}
