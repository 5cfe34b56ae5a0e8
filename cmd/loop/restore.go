package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/loop-health/loop/internal/admin"
	"github.com/loop-health/loop/internal/platform"
)

type restoreCommand struct {
	Dir        string `help:"The platform's folder, as for the other commands." placeholder:"FOLDER"`
	Config     string `help:"The configuration file of the platform, as for loop serve." placeholder:"FILE"`
	AsItIs     bool   `name:"as-it-is" help:"The state was put back by other means, a copy of the files or the database's own backup: begin the new epoch on it."`
	MemberKeys bool   `help:"Put a backup of the store of member keys into a folder that has none."`
	File       string `arg:"" optional:"" help:"The backup; - is standard input."`
}

// Help is what `loop restore --help` says beside the flags.
func (restoreCommand) Help() string {
	return "The platform must not run. Everybody signs in again and allows each app once more, since nobody knows what had ended since the backup was made. What was there before is moved aside within the folder."
}

// Run restores a backup.
func (cmd *restoreCommand) Run(p *process) error {
	if (cmd.File == "") != cmd.AsItIs || cmd.AsItIs && cmd.MemberKeys {
		return errors.New("say what to restore: loop restore FILE, or loop restore --as-it-is where the state was put back already")
	}
	at, err := p.place(admin.Target{Dir: cmd.Dir, Config: cmd.Config})
	if err != nil {
		return err
	}
	if remote, err := admin.Dial(p.ctx, at.folder); !errors.Is(err, admin.ErrNotRunning) {
		if err == nil {
			remote.Close()
		}
		return fmt.Errorf("a platform runs in %s: stop it first", at.folder)
	}
	if err := os.MkdirAll(at.folder, 0o700); err != nil {
		return fmt.Errorf("the data folder can't be made: %w", err)
	}
	release, err := lockFolder(at.folder)
	if err != nil {
		return err
	}
	if cmd.MemberKeys {
		return errors.Join(cmd.restoreMemberKeys(p, at), release())
	}
	done, err := cmd.restore(p, at)
	if err := errors.Join(err, release()); err != nil {
		return err
	}
	return cmd.report(p.stdout, done)
}

func (cmd *restoreCommand) restore(p *process, at *place) (platform.Restored, error) {
	config, err := at.settings()
	if err != nil {
		return platform.Restored{}, err
	}
	ctx := context.WithoutCancel(p.ctx) // once begun it ends: half a restore is of no use
	if cmd.AsItIs {
		return platform.RestoreAsItIs(ctx, config, admin.Operator)
	}
	archive, err := cmd.open(p)
	if err != nil {
		return platform.Restored{}, err
	}
	defer archive.Close() //nolint:errcheck // reading
	return platform.Restore(ctx, config, archive, admin.Operator)
}

// open opens the backup.
func (cmd *restoreCommand) open(p *process) (io.ReadCloser, error) {
	if cmd.File == "-" {
		return io.NopCloser(p.stdin), nil
	}
	archive, err := os.Open(cmd.File)
	if err != nil {
		return nil, fmt.Errorf("the backup can't be read: %w", err)
	}
	return archive, nil
}

func (cmd *restoreCommand) restoreMemberKeys(p *process, at *place) error {
	config, err := at.settings()
	if err != nil {
		return err
	}
	archive, err := cmd.open(p)
	if err != nil {
		return err
	}
	defer archive.Close() //nolint:errcheck // reading
	manifest, err := platform.RestoreMemberKeys(p.ctx, config, archive)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "Restored: the member keys of %s. What was sealed under keys that were made since can't be read.\n", manifest.MadeAt.Format("2006-01-02 15:04:05 MST"))
	return err
}

func (cmd *restoreCommand) report(w io.Writer, done platform.Restored) error {
	if !cmd.AsItIs {
		_, err := fmt.Fprintf(w, "Restored: the state of %s, with %d audit records, all verified.\n", done.Manifest.MadeAt.Format("2006-01-02 15:04:05 MST"), done.Records)
		if err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "Epoch %d begins: %d grants, %d chains of refresh tokens and %d sessions have ended, and every access token and code. Members sign in again and allow each app once more.\n"+
		"Do again what operators did since: disable the apps, suspend the members, rotate the secrets.\n",
		done.Epoch.Number, done.Ended.Grants, done.Ended.Chains, done.Ended.Sessions)
	if err == nil && done.Aside != "" {
		_, err = fmt.Fprintf(w, "What was there before is in %s: delete it when nobody needs it any more.\n", done.Aside)
	}
	return err
}
