package dev

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
)

// DefaultPort is where the lot begins when nobody says otherwise.
const DefaultPort = 4000

// Ports are the ports of one instance.
type Ports struct {
	Identity   int `json:"identity"`
	Clinical   int `json:"clinical"`
	Developers int `json:"developers"`
	Proxy      int `json:"proxy"`
	Inbox      int `json:"inbox"`
	Quickstart int `json:"quickstart"`
}

// PortsFrom lays out the lot from its first port on.
func PortsFrom(base int) (Ports, error) {
	const quickstart = 1000 // 4000 and 5000: the port that the quickstart's page knows
	if base < 1 || base > 65535-quickstart {
		return Ports{}, fmt.Errorf("the port %d is out of range: give one from 1 to %d, or 0 for free ones", base, 65535-quickstart)
	}
	return Ports{Identity: base, Clinical: base + 1, Developers: base + 2, Proxy: base + 3, Inbox: base + 4, Quickstart: base + quickstart}, nil
}

// portTaken is a port that something else listens on.
type portTaken struct {
	port int
	way  string // how to get around it
}

func (e *portTaken) Error() string {
	return fmt.Sprintf("port %d is taken by another program: %s", e.port, e.way)
}

// How to get around a taken port.
const (
	moveAll         = "free it, or move the whole platform with --port N (0 finds free ports)"
	leaveQuickstart = "free it, leave the quickstart out with --no-quickstart, or move the whole platform with --port N (0 finds free ports)"
)

// listen opens a port on both loopback addresses, 127.0.0.1 and [::1], so that
// localhost is the same whichever a program tries first; a machine without IPv6
// is served on one. Port 0 takes one that is free on both. A taken port is an
// error that says the way around.
func listen(ctx context.Context, port int, way string) (listeners []net.Listener, got int, err error) {
	const attempts = 20 // a free port of one family may be taken in the other
	for range attempts {
		listeners, got, err = listenBoth(ctx, port, way)
		var taken *portTaken
		if err == nil || port != 0 || !errors.As(err, &taken) {
			break
		}
	}
	return listeners, got, err
}

func listenBoth(ctx context.Context, port int, way string) ([]net.Listener, int, error) {
	first, err := listenOn(ctx, "tcp4", "127.0.0.1", port, way)
	if err != nil {
		return nil, 0, err
	}
	port = first.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // a TCP listener
	second, err := listenOn(ctx, "tcp6", "::1", port, way)
	if errors.Is(err, errNoAddress) {
		return []net.Listener{first}, port, nil
	}
	if err != nil {
		_ = first.Close()
		return nil, 0, err
	}
	return []net.Listener{first, second}, port, nil
}

// errNoAddress: this machine has no such loopback address.
var errNoAddress = errors.New("the machine does not have this address")

func listenOn(ctx context.Context, network, host string, port int, way string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, network, net.JoinHostPort(host, fmt.Sprint(port)))
	switch {
	case err == nil:
		return listener, nil
	case errors.Is(err, errAddressInUse):
		return nil, &portTaken{port: port, way: way}
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("port %d may not be used by you: choose a higher one with --port N", port)
	case noSuchAddress(err):
		return nil, errNoAddress
	}
	return nil, fmt.Errorf("port %d can't be opened: %w", port, err)
}
