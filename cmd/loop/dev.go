package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/loop-health/loop/internal/dev"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
)

type devCommands struct {
	Dir string `help:"The folder of its state (default: .loop here; the other commands find it from folders beneath, too)." placeholder:"FOLDER"`

	Start   devStart   `cmd:"" default:"withargs" help:"Start it (this is what loop dev does by itself)."`
	Run     devRun     `cmd:"" help:"Run a program that reaches it: loop dev run -- python app.py"`
	Browser devBrowser `cmd:"" help:"Open a browser that reaches it."`
	Stop    devStop    `cmd:"" help:"Stop it."`
	Reset   devReset   `cmd:"" help:"Delete its state and start over."`
}

type devStart struct {
	Port         *int   `help:"The first port: identity, then clinical, developers and the proxy; the quickstart is 1000 above. 0 finds free ones (default: 4000)." placeholder:"N"`
	Domain       string `help:"Serve it under its real names, such as platform.loop.health, through a proxy." placeholder:"NAME"`
	NoQuickstart bool   `help:"Leave the quickstart out, and its port free for your own app."`
	Limits       string `help:"Rate limits, as in production: on or off (default: on)." default:"on" enum:"on,off" placeholder:"on|off"`
}

// Run starts the platform and stops it when it is asked to.
func (cmd *devStart) Run(p *process, all *commandLine) error {
	unlimited := cmd.Limits == "off"
	level := new(slog.LevelVar)
	level.Set(slog.LevelWarn) // until it runs: what fails then says so in one sentence
	log := newLog(p.stderr, level)
	d, err := dev.Start(p.ctx, dev.Config{
		Search: p.search(all.Dev.Dir), Port: cmd.Port, Domain: cmd.Domain, Quickstart: !cmd.NoQuickstart,
		Version: version(), World: loop.Machine{}, Log: log,
		NewQuickstart: newQuickstart,
		Open: func(ctx context.Context, o dev.Opening) (dev.Platform, error) {
			config := forDevelopment(o, unlimited)
			config.Exchanged = showRefusals(p.stdout)
			return open(ctx, config)
		},
	})
	if err != nil {
		return err
	}
	level.Set(slog.LevelInfo)
	err = d.Welcome(p.stdout)
	if err == nil {
		err = d.Wait(p.ctx)
	}
	return errors.Join(err, d.Close(p.ctx))
}

type devRun struct {
	Command []string `arg:"" optional:"" passthrough:"partial" help:"The program and its arguments."`
}

// Run becomes the program.
func (cmd *devRun) Run(p *process, all *commandLine) error {
	command := cmd.Command
	if len(command) > 0 && command[0] == "--" {
		command = command[1:]
	}
	if len(command) == 0 {
		return errors.New("say which program to run: loop dev run -- python app.py")
	}
	instance, err := p.search(all.Dev.Dir).Find(p.ctx)
	if err != nil {
		return err
	}
	return ended(instance.Run(command, p.env, p.stderr))
}

type devBrowser struct {
	URL string `arg:"" optional:"" help:"What to open: an address, portal or docs."`
}

// Run becomes the browser.
func (cmd *devBrowser) Run(p *process, all *commandLine) error {
	instance, err := p.search(all.Dev.Dir).Find(p.ctx)
	if err != nil {
		return err
	}
	return ended(instance.Browse(cmd.URL, p.env))
}

// ended passes on how a program ended.
func ended(status int, err error) error {
	if err != nil || status == 0 {
		return err
	}
	return exitStatus(status)
}

type devStop struct{}

// Run stops the platform and returns when it has stopped.
func (devStop) Run(p *process, all *commandLine) error {
	instance, err := p.search(all.Dev.Dir).Find(p.ctx)
	if err != nil {
		return err
	}
	if err := instance.Stop(p.ctx); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "The platform in %s has stopped.\n", instance.Folder)
	return err
}

type devReset struct {
	Yes bool `help:"Do it without asking."`
}

// Run deletes the state, once that was confirmed.
func (cmd *devReset) Run(p *process, all *commandLine) error {
	search := p.search(all.Dev.Dir)
	folder, err := search.Folder(p.ctx)
	if err != nil {
		return err
	}
	if !cmd.Yes {
		if err := p.confirm(fmt.Sprintf("Delete %s with its members, apps, keys and audit record?", folder)); err != nil {
			return err
		}
	}
	if err := search.Reset(p.ctx, folder); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%s is deleted. The next start begins anew.\n", folder)
	return err
}

// confirm asks a question; anything but yes is an error.
func (p *process) confirm(question string) error {
	_, _ = fmt.Fprintf(p.stdout, "%s Type yes: ", question)
	answer, err := bufio.NewReader(io.LimitReader(p.stdin, 1<<10)).ReadString('\n')
	if err != nil && answer == "" {
		return errors.New("nobody answered, so nothing was deleted: add --yes where nobody can")
	}
	if strings.TrimSpace(answer) != "yes" {
		return errors.New("nothing was deleted")
	}
	return nil
}

// showRefusals writes each refused request to the developer's own terminal. Where that
// is gone, there is nobody to write to.
func showRefusals(w io.Writer) func(web.Exchange) {
	return func(e web.Exchange) {
		if e.Error != nil {
			_ = e.WriteRefusal(w)
		}
	}
}
