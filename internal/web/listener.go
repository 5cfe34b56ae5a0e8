package web

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
)

// Connections bounds how many connections the listeners of a process hold
// together, so that strangers who open them can't take the files that the
// databases need. Safe for concurrent use.
type Connections struct {
	most int64
	open atomic.Int64
}

// NewConnections allows that many at once.
func NewConnections(most int) *Connections { return &Connections{most: int64(most)} }

// ErrNoRoom is what Ready says while there is room for no further connection.
var ErrNoRoom = errors.New("all connections are taken: raise the limit of open files (LimitNOFILE), or look who holds them")

// Ready says whether there is room for another connection.
func (c *Connections) Ready() error {
	if open := c.open.Load(); open >= c.most {
		return fmt.Errorf("%d of %d: %w", open, c.most, ErrNoRoom)
	}
	return nil
}

// Limit bounds the connections of a listener. One too many is asked to come back,
// where plain says that it would understand it, and closed.
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
		if l.connections.open.Add(1) <= l.connections.most {
			return &countedConn{Conn: conn, connections: l.connections}, nil
		}
		l.connections.open.Add(-1)
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
	closed      sync.Once
}

// Close closes the connection.
func (c *countedConn) Close() error {
	c.closed.Do(func() { c.connections.open.Add(-1) })
	return c.Conn.Close()
}
