package web

import (
	"container/list"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
)

// Connections bounds how many connections the listeners of a process hold
// together, so that strangers who open them can't take the files that the
// databases need, and how many of those one network holds, so that it can't keep
// the others out. Where there is no room, the connection that has been idle for
// longest makes some: the network's own where that has its share. Safe for
// concurrent use.
type Connections struct {
	most       int
	ofANetwork int
	proxies    []netip.Prefix

	mu       sync.Mutex
	open     int
	idle     list.List // of *countedConn, the one that has been idle for longest first
	networks map[netip.Prefix]*network
}

// network is what one network holds.
type network struct {
	open int
	idle list.List // as of Connections
}

// shareOfANetwork is the part of all connections that one network may hold: 1/4.
const shareOfANetwork = 4

// NewConnections allows that many at once. Proxies, which bring the connections of
// many, have no share of their own.
func NewConnections(most int, proxies ...netip.Prefix) *Connections {
	return &Connections{most: most, ofANetwork: max(1, most/shareOfANetwork), proxies: proxies, networks: map[netip.Prefix]*network{}}
}

// ErrNoRoom is what Ready says while there is room for no further connection.
var ErrNoRoom = errors.New("all connections are taken: raise the limit of open files (LimitNOFILE), or look who holds them")

// Ready says whether there is room for another connection.
func (c *Connections) Ready() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open >= c.most && c.idle.Len() == 0 {
		return fmt.Errorf("%d of %d: %w", c.open, c.most, ErrNoRoom)
	}
	return nil
}

// Busy is how many connections have a request under way, or bring one.
func (c *Connections) Busy() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open - c.idle.Len()
}

// Limit bounds the connections of a listener, whose server MUST have Track as its
// ConnState. One too many gets an answer, where plain says that it would understand
// it, and is closed.
func (c *Connections) Limit(listener net.Listener, plain bool) net.Listener {
	return &boundedListener{listener, c, plain}
}

type boundedListener struct {
	net.Listener
	connections *Connections
	plain       bool // no TLS
}

// noRoom is the answer to a connection too many, whatever it would have asked.
const noRoom = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: 55\r\n\r\nThere are too many connections. Try again in a second.\n"

// Accept waits for a connection that there is room for.
func (l *boundedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if counted := l.connections.admit(conn); counted != nil {
			return counted, nil
		}
		if l.plain {
			_, _ = conn.Write([]byte(noRoom)) // a new connection has room for it
		}
		_ = conn.Close()
	}
}

// countedConn gives its place back when it is closed.
type countedConn struct {
	net.Conn
	connections *Connections
	of          *network
	address     netip.Prefix
	gone        bool          // its place was given back
	among, own  *list.Element // of the idle ones, while it is idle
}

// admit makes room for a connection, which has not sent anything yet; nil where
// there is none.
func (c *Connections) admit(conn net.Conn) *countedConn {
	address := networkOf(conn.RemoteAddr())
	c.mu.Lock()
	defer c.mu.Unlock()
	of := c.networks[address]
	if of == nil {
		of = &network{}
	}
	var longest *list.Element
	full := of.open >= c.ofANetwork && !c.isProxy(address)
	switch {
	case full:
		longest = of.idle.Front()
	case c.open >= c.most:
		full, longest = true, c.idle.Front()
	}
	if full && longest == nil {
		return nil
	}
	if full {
		given := longest.Value.(*countedConn) // nothing else is in the lists
		c.release(given)
		_ = given.Conn.Close() // who held it hears so
	}
	counted := &countedConn{Conn: conn, connections: c, of: of, address: address}
	c.networks[address] = of
	c.open++
	of.open++
	c.rest(counted)
	return counted
}

func (c *Connections) isProxy(address netip.Prefix) bool {
	return slices.ContainsFunc(c.proxies, func(proxy netip.Prefix) bool { return proxy.Overlaps(address) })
}

// rest puts a connection behind the idle ones, unless it is there.
func (c *Connections) rest(conn *countedConn) {
	if conn.among == nil && !conn.gone {
		conn.among, conn.own = c.idle.PushBack(conn), conn.of.idle.PushBack(conn)
	}
}

// wake takes a connection out of the idle ones.
func (c *Connections) wake(conn *countedConn) {
	if conn.among != nil {
		c.idle.Remove(conn.among)
		conn.of.idle.Remove(conn.own)
		conn.among, conn.own = nil, nil
	}
}

// release gives a connection's place back, once.
func (c *Connections) release(conn *countedConn) {
	if conn.gone {
		return
	}
	c.wake(conn)
	conn.gone = true
	c.open--
	if conn.of.open--; conn.of.open == 0 {
		delete(c.networks, conn.address)
	}
}

// Track follows what the server does with a connection (http.Server.ConnState).
func (c *Connections) Track(conn net.Conn, state http.ConnState) {
	if secure, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		conn = secure.NetConn()
	}
	counted, ok := conn.(*countedConn)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateActive:
		c.wake(counted)
	case http.StateIdle:
		c.rest(counted)
	case http.StateNew, http.StateHijacked, http.StateClosed:
	}
}

// Close closes the connection.
func (c *countedConn) Close() error {
	c.connections.mu.Lock()
	c.connections.release(c)
	c.connections.mu.Unlock()
	return c.Conn.Close()
}

// networkOf is the network of an address as limits count it: an IPv4 address, an
// IPv6 network of /64; the zero prefix for what is none.
func networkOf(address net.Addr) netip.Prefix {
	parsed, err := netip.ParseAddrPort(address.String())
	if err != nil {
		return netip.Prefix{}
	}
	ip := parsed.Addr().Unmap().WithZone("")
	bits := ip.BitLen()
	if ip.Is6() {
		bits = 64
	}
	prefix, _ := ip.Prefix(bits) // the bits fit
	return prefix
}
