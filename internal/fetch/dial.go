package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"syscall"
	"time"
)

// Bounds of a dial.
const (
	maxAddresses = 4 // tried in turn; a name with a thousand does not make us knock at each
	dialTimeout  = 1500 * time.Millisecond
)

// errNotPublic is one of the resolver's faults to whoever reads the description,
// so that nobody can ask which names a private network has. The log says it.
var errNotPublic = errors.New("the name leads to an address that is not public")

// connect resolves the URL's host once, judges every address, and dials these
// addresses and no name: what answers differently the next time is never asked.
func (c *Client) connect(ctx context.Context, u *url.URL) (net.Conn, error) {
	open := named(c.allowed, u)
	addresses, err := c.resolve(ctx, u.Hostname(), open)
	if err != nil {
		return nil, failed("its host has no public address. Check the name and its DNS records.").Because(err)
	}
	var conn net.Conn
	for _, address := range addresses[:min(len(addresses), maxAddresses)] {
		if conn, err = c.dial(ctx, newDialer(open), net.JoinHostPort(address.String(), portOf(u))); err == nil {
			break
		}
	}
	if err != nil {
		return nil, failed("its server can't be reached. Check that it runs and lets connections in.").Because(err)
	}
	return conn, nil
}

func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "http":
		return "80"
	}
	return "443"
}

// resolve gives the addresses of a host, or an error if any of them may not be
// dialled: who mixes private ones with public ones means no good.
func (c *Client) resolve(ctx context.Context, host string, open bool) ([]netip.Addr, error) {
	if !open {
		host += "." // as it stands: the machine's search list would make other names of it
	}
	addresses, err := c.lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	if len(addresses) == 0 {
		return nil, errors.New("the name has no address")
	}
	if slices.ContainsFunc(addresses, func(address netip.Addr) bool { return !reachable(address, open) }) {
		return nil, errNotPublic
	}
	return addresses, nil
}

func lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// newDialer makes a dialer that judges the address once more, as the operating
// system is about to be given it.
func newDialer(open bool) *net.Dialer {
	return &net.Dialer{Timeout: dialTimeout, Control: func(_, address string, _ syscall.RawConn) error {
		if dialled, err := netip.ParseAddrPort(address); err != nil || !reachable(dialled.Addr(), open) {
			return errNotPublic
		}
		return nil
	}}
}

func dial(ctx context.Context, dialer *net.Dialer, address string) (net.Conn, error) {
	return dialer.DialContext(ctx, "tcp", address)
}

// secure shakes hands where the URL is of https. What is closed in the end is the
// connection beneath: TLS has a last word to say, and a server that does not
// listen could hold us up with it.
func (c *Client) secure(ctx context.Context, conn net.Conn, u *url.URL) (net.Conn, error) {
	if u.Scheme == "http" {
		return conn, nil
	}
	secured := tls.Client(conn, &tls.Config{ServerName: u.Hostname(), RootCAs: c.roots, Time: c.now, MinVersion: tls.VersionTLS12})
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, failed("its server does not speak TLS 1.2 or later with a valid certificate for this host.").Because(err)
	}
	return secured, nil
}
