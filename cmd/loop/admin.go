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
	// A server that runs in the folder named knows its own configuration.
	if dir := cmp.Or(line.Target().Dir, p.env.Get("LOOP_DIR")); dir != "" {
		if err := p.administerRunning(dir, stdin); !errors.Is(err, admin.ErrNotRunning) {
			return err
		}
	}
	place, err := p.place(line.Target())
	if err != nil {
		return err
	}
	if err := p.administerRunning(place.folder, stdin); !errors.Is(err, admin.ErrNotRunning) {
		return err
	}
	release, err := lockFolder(place.folder)
	if err != nil {
		return err
	}
	opened, err := place.open(p.ctx)
	if err != nil {
		return errors.Join(err, release())
	}
	status := opened.Commands()(p.ctx, p.args, stdin, p.stdout, p.stderr)
	if err := errors.Join(opened.Close(context.WithoutCancel(p.ctx)), release()); err != nil {
		return fmt.Errorf("closing the platform: %w", err)
	}
	return ended(status, nil)
}

// administerRunning runs the command in the server of a folder;
// admin.ErrNotRunning where there is none.
func (p *process) administerRunning(folder string, stdin io.Reader) error {
	remote, err := admin.Dial(p.ctx, folder)
	if err != nil {
		return err
	}
	defer remote.Close()
	status, err := remote.Run(p.ctx, p.args, stdin, p.stdout, p.stderr)
	return ended(status, err)
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
