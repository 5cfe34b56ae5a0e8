package platformtest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// template is the folder of a platform after its first start, and the master key
// that opens it. Making keys takes longer than most tests, so a test process does
// it once.
type template struct {
	master *credential.Master
	files  map[string][]byte

	database string // on PostgreSQL: the database that the others are copies of
}

// firstStart makes the template, once for the process.
var firstStart = sync.OnceValues(func() (*template, error) {
	folder, err := os.MkdirTemp("", "platformtest-")
	if err != nil {
		return nil, err
	}
	made := &template{}
	made.master, _ = credential.NewMaster(loop.Machine{})
	p := newPlatform(folder, made.master)
	if OnPostgres() {
		if made.database, err = addDatabase(""); err != nil {
			return nil, err
		}
		p.config.Database = made.database
	}
	if err = p.TryOpen(); err == nil {
		err = p.Close(context.Background())
	}
	if err == nil {
		made.files, err = readFolder(folder)
	}
	return made, errors.Join(err, os.RemoveAll(folder))
})

func readFolder(folder string) (map[string][]byte, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte, len(entries))
	for _, entry := range entries {
		files[entry.Name()], err = os.ReadFile(filepath.Join(folder, entry.Name())) //nolint:gosec // G304: of the folder that was read
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// writeTo puts a copy of the template into a folder.
func (m *template) writeTo(folder string) error {
	for name, content := range m.files {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}
