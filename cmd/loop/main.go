// Command loop is Connect with Loop: the whole platform on a laptop (loop dev)
// or in production (loop serve), and the operator's commands.
//
// This package reads flags and configuration and wires; it holds no rules.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/loop-health/loop/internal/admin"
	"github.com/loop-health/loop/internal/dev"
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// heapGrowth is by how many percent of what lives the heap may grow before
// garbage is collected. Little lives here, a few megabytes: by Go's own 100 a busy
// server collected 55 times a second. With much more than this the 19 MiB of each
// password that is hashed would add up. Whoever sets GOGC decides.
const heapGrowth = 200

// commandLine is all that can be asked for.
type commandLine struct {
	Dev           devCommands     `cmd:"" help:"The whole platform on this machine, with people and lab results that are invented."`
	Serve         serveCommand    `cmd:"" help:"The platform with a configuration of its own."`
	Migrate       migrateCommands `cmd:"" help:"The schemas of a PostgreSQL database."`
	admin.Grammar `embed:""`
	Restore       restoreCommand `cmd:"" help:"Put a backup in place of the platform's data."`
	Version       versionCommand `cmd:"" help:"Say which version this is."`
}

// process is what a command has of the world around it.
type process struct {
	ctx            context.Context //nolint:containedctx // one command's: kong hands it to the command's method
	args           []string
	env            dev.Environment
	workingDir     string
	stdin          io.Reader
	stdout, stderr io.Writer
}

// exitStatus ends a command that has said all there is to say.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// run is the program: it gives the exit status. Every error is one sentence on
// stderr, or with --json one object.
func run(ctx context.Context, args, env []string, stdin io.Reader, stdout, stderr io.Writer) int {
	workingDir, err := os.Getwd()
	if err != nil {
		return admin.Fail(stderr, admin.AsksForJSON(args), fmt.Errorf("the working folder is gone: %w", err))
	}
	p := &process{ctx: ctx, args: args, env: env, workingDir: workingDir, stdin: stdin, stdout: stdout, stderr: stderr}
	err = p.run()
	if status, ok := errors.AsType[exitStatus](err); ok {
		return int(status)
	}
	if err != nil && !errors.Is(err, errHelped) {
		return admin.Fail(stderr, admin.AsksForJSON(args), err)
	}
	return 0
}

// run reads the arguments and runs the command.
func (p *process) run() error {
	line := commandLine{Serve: serveCommand{Flags: newServeFlags()}}
	parser, err := kong.New(&line,
		kong.Name("loop"),
		kong.Description("Connect with Loop: the one way in which an app reaches a person's health data. Begin with: loop dev"),
		kong.Writers(p.stdout, p.stderr),
		kong.Help(printHelp),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		return fmt.Errorf("the commands are not well made: %w", err)
	}
	command, err := parser.Parse(askedFor(p.args))
	if err != nil {
		return withHelp(err)
	}
	if first, _, _ := strings.Cut(command.Command(), " "); !slices.Contains([]string{"dev", "serve", "migrate", "restore", "version"}, first) {
		if files, ok := line.Importing(); ok {
			return p.importFiles(&line, files)
		}
		return p.administer(&line)
	}
	return command.Run(p)
}

// search is where a platform of `loop dev` is looked for.
func (p *process) search(dir string) dev.Search {
	return dev.Search{Dir: dir, WorkingDir: p.workingDir, Environment: p.env, Command: calledAs()}
}

// calledAs is how a person calls this program: what `go run` has built lies in a
// folder that is gone afterwards.
func calledAs() string {
	path, err := os.Executable()
	if err == nil && strings.Contains(path, string(filepath.Separator)+"go-build") {
		return "go run ./cmd/loop"
	}
	return "loop"
}
