package admin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
)

// socketFile is the socket's name in the platform's folder.
const socketFile = "admin.sock"

// maxSocketPath is the longest path that every system takes for a socket:
// sun_path has 104 bytes on macOS and the BSDs, 108 on Linux, with its end.
const maxSocketPath = 103

// listenSocket opens the folder's socket for its owner alone. A socket that a
// killed server left behind is replaced: the caller holds the folder's lock.
func listenSocket(ctx context.Context, folder string) (net.Listener, error) {
	path := filepath.Join(folder, socketFile)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the administrative socket can't be replaced: %w", err)
	}
	short, release, err := shorten(folder)
	if err != nil {
		return nil, err
	}
	defer release()
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "unix", short)
	if err != nil {
		return nil, fmt.Errorf("the administrative socket %s can't be opened: %w", path, err)
	}
	listener.(*net.UnixListener).SetUnlinkOnClose(false) //nolint:forcetypeassert // "unix" gives nothing else; the shortened path is gone by then
	if err := os.Chmod(path, 0o600); err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("the administrative socket can't be kept to its owner: %w", err)
	}
	return listener, nil
}

// dialSocket connects to the folder's socket.
func dialSocket(ctx context.Context, folder string) (net.Conn, error) {
	short, release, err := shorten(folder)
	if err != nil {
		return nil, err
	}
	defer release()
	var dialer net.Dialer
	return dialer.DialContext(ctx, "unix", short)
}

// shorten gives a path of the folder's socket that the system takes, and a
// function to call once it was used.
func shorten(folder string) (path string, release func(), err error) {
	path = filepath.Join(folder, socketFile)
	if len(path) <= maxSocketPath {
		return path, func() {}, nil
	}
	return shortenLong(folder)
}
