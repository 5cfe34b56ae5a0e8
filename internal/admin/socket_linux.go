package admin

import (
	"fmt"
	"os"
	"strconv"
)

// shortenLong names the folder by a file descriptor: /proc/self/fd/7/admin.sock.
func shortenLong(folder string) (path string, release func(), err error) {
	dir, err := os.Open(folder) //nolint:gosec // G304: the platform's own folder
	if err != nil {
		return "", nil, err
	}
	path = fmt.Sprintf("/proc/self/fd/%s/%s", strconv.FormatUint(uint64(dir.Fd()), 10), socketFile)
	return path, func() { _ = dir.Close() }, nil
}
