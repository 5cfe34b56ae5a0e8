package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store/tables"
)

//go:embed schema/memberkeys/*.sql
var memberKeysSchema embed.FS

// MemberKeysSchema is the numbered migrations of the store of member keys.
func MemberKeysSchema() fs.FS {
	sub, err := fs.Sub(memberKeysSchema, "schema/memberkeys")
	if err != nil {
		panic("sqlite: the embedded schema is not there: " + err.Error())
	}
	return sub
}

// MemberKeys keeps the data keys of members.
type MemberKeys struct {
	tables.MemberKeys
	db *Database
}

// NewMemberKeys makes the store of a database that was opened with MemberKeysSchema.
func NewMemberKeys(db *Database) *MemberKeys {
	alone := func(tables.Tx, loop.MemberID) {} // there is one writer
	return &MemberKeys{tables.NewMemberKeys(db, alone), db}
}

// EraseMember destroys a member's keys (credential.MemberKeyStore). What is deleted is
// overwritten with zeros (secure_delete); here the write-ahead log, which holds pages
// of before, is written back and cut off.
func (s *MemberKeys) EraseMember(ctx context.Context, member loop.MemberID, at time.Time) error {
	if err := s.MemberKeys.EraseMember(ctx, member, at); err != nil {
		return err
	}
	return s.db.truncateLog(ctx)
}

// errLogInUse is returned where a reader kept the log from being cut off.
var errLogInUse = errors.New("the write-ahead log could not be cut off, since somebody reads from it: try again")

// truncateLog writes the write-ahead log back into the file and cuts it off.
func (d *Database) truncateLog(ctx context.Context) error {
	conn, err := sql.Open("sqlite", dataSource(d.path, "rw"))
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // nothing is left to be written
	var busy, pages, written int
	if err := conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &written); err != nil {
		return fmt.Errorf("cutting off the log of %s: %w", d.path, err)
	}
	if busy != 0 {
		return errLogInUse
	}
	return nil
}
