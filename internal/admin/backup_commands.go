package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Backup is what a backup holds.
type Backup struct {
	MadeAt  time.Time `json:"made_at"`
	Epoch   uint64    `json:"epoch"`
	Bytes   int64     `json:"bytes"`
	Records int64     `json:"records"` // of the audit, all verified
}

type backupCommand struct {
	Target `embed:""`

	MemberKeys bool `help:"Back up the store of member keys, which no other backup holds. Keep it apart from those, and for a week at the longest."`

	File string `arg:"" help:"The file to write; - is standard output."`
}

// Run writes the backup to standard output, which whoever runs the command leads
// into the file (Grammar.Stdout), and reports on it on standard error.
func (cmd *backupCommand) Run(run *Run) error {
	write := run.Operations.Backups.Backup
	if cmd.MemberKeys {
		write = run.Operations.Backups.BackupMemberKeys
	}
	made, err := write(run.Context, run.Stdout)
	if err != nil {
		return err
	}
	if run.JSON {
		return json.NewEncoder(run.Stderr).Encode(made)
	}
	if cmd.MemberKeys {
		_, err = fmt.Fprintf(run.Stderr, "Backed up the member keys as of %s. Keep this apart from the backups of the data, and delete it within a week: with it, whoever was erased since can be read.\n", moment(made.MadeAt))
		return err
	}
	_, err = fmt.Fprintf(run.Stderr, "Backed up %d bytes as of %s, epoch %d: databases checked, %d audit records verified.\nIt is encrypted, and the master key is not in it. Keep that elsewhere: without it, nobody opens this backup.\n",
		made.Bytes, moment(made.MadeAt), made.Epoch, made.Records)
	return err
}

// Stdout is where the command writes: the given output, but for a backup its
// file. Call finish when the command has ended, with how: the file appears under
// its name once it is whole and durable, and not at all otherwise.
func (g *Grammar) Stdout(given io.Writer) (to io.Writer, finish func(error) error, err error) {
	path := g.Backup.File
	if path == "" || path == "-" {
		return given, func(err error) error { return err }, nil
	}
	if _, err := os.Lstat(path); err == nil {
		return nil, nil, fmt.Errorf("%s exists already: name another file, or move it away", path)
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // for its owner alone
	if err != nil {
		return nil, nil, fmt.Errorf("the backup can't be written: %w", err)
	}
	return file, func(err error) error { return finishFile(file, path, err) }, nil
}

func finishFile(file *os.File, path string, err error) error {
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}
