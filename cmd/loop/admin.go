package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/loop-health/loop/internal/admin"
	"github.com/loop-health/loop/internal/dev"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform"
)

// administer runs an administrative command: in the server where one runs, else
// here, with the folder taken for as long.
func (p *process) administer(line *commandLine) error {
	stdin, err := line.Stdin(p.stdin)
	if err != nil {
		return err
	}
	stdout, finish, err := line.Stdout(p.stdout)
	if err != nil {
		return err
	}
	p.stdout = stdout
	return finish(p.administerAt(line, stdin))
}

func (p *process) administerAt(line *commandLine, stdin io.Reader) error {
	run, finish, err := p.reach(line.Target(), line.Follows())
	if err != nil {
		return err
	}
	err = run(p.args, stdin, p.stdout, p.stderr)
	if line.Follows() && p.ctx.Err() != nil {
		err = nil // whoever followed has seen enough
	}
	return finish(err)
}

// runCommand runs one administrative command on a platform.
type runCommand func(args []string, stdin io.Reader, stdout, stderr io.Writer) error

// reach gives what runs commands on the platform that is meant: in its server where one
// runs, else here, with the folder taken until finish is called, with the error of the
// commands; a command that follows a server is given to one alone.
func (p *process) reach(target admin.Target, follows bool) (run runCommand, finish func(error) error, err error) {
	// A server that runs in the folder named knows its own configuration.
	if dir := cmp.Or(target.Dir, p.env.Get("LOOP_DIR")); dir != "" {
		if run, finish, err := p.reachRunning(dir); !errors.Is(err, admin.ErrNotRunning) {
			return run, finish, err
		}
	}
	place, err := p.place(target)
	if err != nil {
		return nil, nil, err
	}
	if run, finish, err := p.reachRunning(place.folder); !errors.Is(err, admin.ErrNotRunning) {
		return run, finish, err
	}
	if follows {
		return nil, nil, fmt.Errorf("no platform runs in %s, and there is nothing to follow: leave --follow out", place.folder)
	}
	release, err := lockFolder(place.folder)
	if err != nil {
		return nil, nil, err
	}
	opened, err := place.open(p.ctx)
	if err != nil {
		return nil, nil, errors.Join(err, release())
	}
	commands := opened.Commands()
	run = func(args []string, stdin io.Reader, stdout, stderr io.Writer) error {
		return ended(commands(p.ctx, args, stdin, stdout, stderr), nil)
	}
	finish = func(err error) error {
		if closing := errors.Join(opened.Close(context.WithoutCancel(p.ctx)), release()); closing != nil {
			return fmt.Errorf("closing the platform: %w", closing)
		}
		return err
	}
	return run, finish, nil
}

// reachRunning gives what runs commands in the server of a folder; admin.ErrNotRunning
// where there is none.
func (p *process) reachRunning(folder string) (run runCommand, finish func(error) error, err error) {
	remote, err := admin.Dial(p.ctx, folder)
	if err != nil {
		return nil, nil, err
	}
	run = func(args []string, stdin io.Reader, stdout, stderr io.Writer) error {
		return ended(remote.Run(p.ctx, args, stdin, stdout, stderr))
	}
	return run, func(err error) error {
		remote.Close()
		return err
	}, nil
}

// place is the platform that a command is for.
type place struct {
	folder   string
	settings func() (platform.Config, error)
}

// open opens the platform, for commands that act on it where it does not run.
func (at *place) open(ctx context.Context) (*opened, error) {
	config, err := at.settings()
	if err != nil {
		return nil, err
	}
	return open(ctx, config)
}

// place finds the platform: by a configuration, where one is named or LOOP_DIR
// is set, else as `loop dev` finds its own.
func (p *process) place(target admin.Target) (*place, error) {
	if target.Config != "" || p.env.Get("LOOP_DIR") != "" {
		config, err := readConfig(sources{file: target.Config, flags: map[string]string{"dir": target.Dir}, env: p.env})
		if err != nil {
			return nil, err
		}
		return &place{folder: config.Dir, settings: func() (platform.Config, error) {
			settings := forProduction(config, p.quietLog())
			settings.ClockIsRight = true // nothing is served
			return settings, nil
		}}, nil
	}
	folder, err := p.search(target.Dir).Folder(p.ctx)
	if err != nil {
		return nil, err
	}
	return &place{folder: folder, settings: func() (platform.Config, error) {
		opening, err := dev.ReadOpening(folder, loop.Machine{}, p.quietLog())
		if err != nil {
			return platform.Config{}, err
		}
		return forDevelopment(*opening, false), nil
	}}, nil
}
