package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
)

// CopyTo writes a copy of the database, as it is at one moment, to a file that
// does not exist yet. Acts go on meanwhile.
func (d *Database) CopyTo(ctx context.Context, path string) (err error) {
	source, err := sql.Open("sqlite", dataSource(d.path, "rw"))
	if err != nil {
		return err
	}
	defer source.Close() //nolint:errcheck // nothing was written through it
	if _, err := source.ExecContext(ctx, `VACUUM INTO ?`, path); err != nil {
		return fmt.Errorf("copying %s: %w", d.path, err)
	}
	return nil
}

// OpenCopy opens a file that nobody writes, for reading alone.
func OpenCopy(path string) (*Database, error) {
	d := &Database{path: path}
	var err error
	d.readers, err = sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: "mode=ro&immutable=1"}).String())
	d.reading.prepare = func(ctx context.Context, query string) (*sql.Stmt, error) {
		return d.readers.PrepareContext(ctx, query)
	}
	return d, err
}

// Check says whether the file is whole: every page, every index, every reference.
func (d *Database) Check(ctx context.Context) error {
	var found string
	if err := d.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&found); err != nil {
		return fmt.Errorf("checking %s: %w", d.path, err)
	}
	if found != "ok" {
		return fmt.Errorf("%s is damaged: %s", d.path, found)
	}
	rows, err := d.QueryContext(ctx, `PRAGMA foreign_key_check`)
	if err != nil {
		return fmt.Errorf("checking %s: %w", d.path, err)
	}
	defer rows.Close() //nolint:errcheck // reading: Err says what went wrong
	if rows.Next() {
		return fmt.Errorf("%s is damaged: a row refers to one that is not there", d.path)
	}
	return rows.Err()
}
