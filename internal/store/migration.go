package store

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// Migration is one numbered file of a schema.
type Migration struct {
	Number int
	Name   string
	Text   string
}

// ReadMigrations reads files named 0001_what.sql, without gaps.
func ReadMigrations(schema fs.FS) ([]Migration, error) {
	names, err := fs.Glob(schema, "*.sql") // sorted by name
	if err != nil {
		return nil, err
	}
	var migrations []Migration
	for i, name := range names {
		number, err := strconv.Atoi(strings.SplitN(name, "_", 2)[0])
		if err != nil || number != i+1 {
			return nil, fmt.Errorf("the migration %s is not numbered %04d", name, i+1)
		}
		text, err := fs.ReadFile(schema, name)
		if err != nil {
			return nil, err
		}
		migrations = append(migrations, Migration{number, name, string(text)})
	}
	return migrations, nil
}
