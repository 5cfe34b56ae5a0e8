//go:build unix

package main

import "golang.org/x/sys/unix"

// openFiles is how many files this process may have open; Go raises it to what
// the system allows.
func openFiles() uint64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 1024 // what most systems begin with
	}
	return uint64(limit.Cur) //nolint:unconvert // it is signed on some systems
}
