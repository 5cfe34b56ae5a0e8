package sqlite

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"

	"github.com/loop-health/loop/internal/loop"
)

// The databases of a state folder, a file each.
const (
	identityFile = "identity.db"
	clinicalFile = "clinical.db"
)

// CopyFiles names what CopyTo writes, in that order.
func CopyFiles() []string { return []string{clinicalFile, identityFile} }

// StateFiles names everything that SQLite keeps in a state folder: the databases,
// each with its log and the log's index, which are there while it is open or after
// a crash.
func StateFiles() (names []string) {
	for _, name := range CopyFiles() {
		names = append(names, name, name+"-wal", name+"-shm")
	}
	return names
}

// Folder is the databases of a state folder, open. Both hold the whole state:
// identity no results, clinical no names. What is sealed in them opens with the keys
// of a third, which is not copied with them.
type Folder struct{ Identity, Clinical *Database }

// MemberKeysFile names the file of the store of member keys in a state folder.
const MemberKeysFile = "memberkeys.db"

// OpenMemberKeys opens the store of member keys of a folder whose lock the caller
// holds, and makes it where it is missing.
func OpenMemberKeys(ctx context.Context, folder string, w loop.World, log *slog.Logger) (*Database, error) {
	return Open(ctx, filepath.Join(folder, MemberKeysFile), MemberKeysSchema(), w, log)
}

// OpenFolder opens both databases of a folder whose lock the caller holds, and
// makes those that are missing. An error leaves nothing open.
func OpenFolder(ctx context.Context, folder string, w loop.World, log *slog.Logger) (_ *Folder, err error) {
	f := new(Folder)
	if f.Identity, err = Open(ctx, filepath.Join(folder, identityFile), IdentitySchema(), w, log); err != nil {
		return nil, err
	}
	if f.Clinical, err = Open(ctx, filepath.Join(folder, clinicalFile), ClinicalSchema(), w, log); err != nil {
		return nil, errors.Join(err, f.Identity.Close())
	}
	return f, nil
}

// OpenFolderCopy opens what CopyTo wrote, for reading alone.
func OpenFolderCopy(folder string) (_ *Folder, err error) {
	f := new(Folder)
	if f.Identity, err = OpenCopy(filepath.Join(folder, identityFile)); err != nil {
		return nil, err
	}
	if f.Clinical, err = OpenCopy(filepath.Join(folder, clinicalFile)); err != nil {
		return nil, errors.Join(err, f.Identity.Close())
	}
	return f, nil
}

// CopyTo writes copies of both databases to another folder, which has neither, while
// acts go on. Identity comes last: so everybody that clinical refers to is in it.
func (f *Folder) CopyTo(ctx context.Context, folder string) error {
	if err := f.Clinical.CopyTo(ctx, filepath.Join(folder, clinicalFile)); err != nil {
		return err
	}
	return f.Identity.CopyTo(ctx, filepath.Join(folder, identityFile))
}

// Check reads both databases from end to end, and says what is damaged, and what
// is in them that no migration has made.
func (f *Folder) Check(ctx context.Context) error {
	return errors.Join(
		f.Clinical.Check(ctx), f.Clinical.CheckSchema(ctx, ClinicalSchema()),
		f.Identity.Check(ctx), f.Identity.CheckSchema(ctx, IdentitySchema()),
	)
}

// Close closes both databases.
func (f *Folder) Close() error { return errors.Join(f.Clinical.Close(), f.Identity.Close()) }
