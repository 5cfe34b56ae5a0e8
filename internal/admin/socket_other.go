//go:build !linux

package admin

import "fmt"

// shortenLong refuses: outside Linux a socket has no shorter name.
func shortenLong(folder string) (path string, release func(), err error) {
	return "", nil, fmt.Errorf("the path of the folder %s is too long for a socket on this system: choose a shorter one with --dir", folder)
}
