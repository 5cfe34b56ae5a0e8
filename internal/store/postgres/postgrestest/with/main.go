//go:build unix

// Command with runs another command with a PostgreSQL server, which LOOP_TEST_DATABASE
// names and which ends with it:
//
//	go run ./internal/store/postgres/postgrestest/with go test ./internal/platform
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"github.com/loop-health/loop/internal/store/postgres/postgrestest"
	"github.com/loop-health/loop/internal/testprocess"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(words []string) int {
	if len(words) == 0 {
		return fail(errors.New("say what to run"))
	}
	// Nothing of it outlives the command, so nothing of it has to reach a disk.
	server, err := postgrestest.New("fsync=off", "synchronous_commit=off", "full_page_writes=off")
	if err != nil {
		return fail(err)
	}
	defer server.Remove() //nolint:errcheck // a temporary folder
	if err := server.Start(); err != nil {
		return fail(err)
	}
	cmd := exec.CommandContext(context.Background(), words[0], words[1:]...) //nolint:gosec // G204: what it is for
	testprocess.EndWithParent(cmd, syscall.SIGTERM)                          // the server ends too, and nothing runs on without it
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "LOOP_TEST_DATABASE="+server.URL("postgres"))
	err = cmd.Run()
	if ended, ok := errors.AsType[*exec.ExitError](err); ok {
		return ended.ExitCode()
	}
	if err != nil {
		return fail(err)
	}
	return 0
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, "with PostgreSQL:", err)
	return 1
}
