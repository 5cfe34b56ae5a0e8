//go:build !unix

package connect

import "context"

// lockFile does nothing: one process at a time uses the folder here.
func lockFile(context.Context, string) (release func(), err error) { return func() {}, nil }

// syncFolder does nothing: renames are durable here, or nothing makes them so.
func syncFolder(string) error { return nil }
