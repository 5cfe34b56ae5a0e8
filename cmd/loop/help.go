package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// errHelped ends the reading of arguments after help was shown.
var errHelped = errors.New("help was shown")

// askedFor gives the arguments with every way to ask for help as the flag: none at
// all, loop help client, loop client help.
func askedFor(args []string) []string {
	switch {
	case len(args) == 0:
		return []string{"--help"}
	case args[0] == "help":
		return append(args[1:len(args):len(args)], "--help")
	case len(args) == 2 && args[1] == "help":
		return []string{args[0], "--help"}
	}
	return args
}

// printHelp shows with a command's help that of the command which it stands for
// by itself: the flags of loop dev are those of loop dev start.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	err := kong.DefaultHelpPrinter(options, ctx)
	if node := ctx.Selected(); err == nil && node != nil && node.DefaultCmd != nil {
		var itself *kong.Context
		if itself, err = kong.Trace(ctx.Kong, strings.Fields(node.DefaultCmd.Path())); err == nil {
			_, _ = fmt.Fprintln(ctx.Stdout)
			err = kong.DefaultHelpPrinter(options, itself)
		}
	}
	return errors.Join(errHelped, err)
}

// withHelp names the help of the command whose arguments were not understood.
func withHelp(err error) error {
	wrong, ok := errors.AsType[*kong.ParseError](err)
	if !ok {
		return err
	}
	node := wrong.Context.Selected()
	if node == nil {
		node = wrong.Context.Model.Node
	}
	return fmt.Errorf("%w; %s --help says what there is", err, node.FullPath())
}
