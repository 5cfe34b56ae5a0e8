//go:build unix

package dev

import "syscall"

// execute turns this process into the program, so that signals and the exit
// status are the program's own. It returns only where that failed.
func execute(path string, args []string, env Environment) (status int, err error) {
	return 1, syscall.Exec(path, args, env) //nolint:gosec // G204: running a program is what the user asked for
}
