//go:build !unix

package dev

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
)

// execute runs the program as a child with this process's input and output and
// gives its exit status. Interrupts are the child's to answer.
func execute(path string, args []string, env Environment) (status int, err error) {
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)

	child := &exec.Cmd{Path: path, Args: args, Env: env, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	err = child.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), nil
	}
	return 0, err
}
