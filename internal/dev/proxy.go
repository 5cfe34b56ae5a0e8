package dev

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Proxy leads the platform's real host names to this machine: it answers
// CONNECT for them, on port 443, and refuses everything else with a line that
// says why. The connections come out of Tunnels, where a TLS server in the same
// process accepts them, so that no further port is taken.
type Proxy struct {
	address string   // where browsers reach the proxy
	hosts   []string // that it serves
	tunnels *tunnels
}

// NewProxy makes a proxy that is reached at the address and serves the hosts.
func NewProxy(address string, hosts []string) *Proxy {
	return &Proxy{address: address, hosts: hosts, tunnels: newTunnels()}
}

// Tunnels gives the connections that CONNECT opened, as a listener for a TLS
// server. Closing it refuses further ones.
func (p *Proxy) Tunnels() net.Listener { return p.tunnels }

// ServeHTTP answers CONNECT (RFC 9110 §9.3.6) and GET /proxy.pac.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodConnect:
		p.connect(w, r)
	case r.URL.IsAbs():
		p.refuse(w, http.StatusForbidden, "This proxy does not forward plain http.")
	case r.URL.Path != "/proxy.pac":
		p.refuse(w, http.StatusNotFound, "There is nothing at this address but /proxy.pac.")
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		p.refuse(w, http.StatusMethodNotAllowed, "/proxy.pac answers GET.")
	default:
		w.Header().Set("Content-Type", "application/x-ns-proxy-autoconfig")
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(p.autoConfiguration())
	}
}

func (p *Proxy) connect(w http.ResponseWriter, r *http.Request) {
	host, port, err := net.SplitHostPort(r.Host)
	switch {
	case err != nil || !slices.Contains(p.hosts, strings.ToLower(host)):
		p.refuse(w, http.StatusForbidden, "This proxy does not connect to other hosts.")
		return
	case port != "443":
		p.refuse(w, http.StatusForbidden, "This proxy connects to port 443 alone.")
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		p.refuse(w, http.StatusHTTPVersionNotSupported, "Send CONNECT over HTTP/1.1.")
		return
	}
	if err := open(conn); err != nil {
		_ = conn.Close()
		return
	}
	p.tunnels.hand(withBuffered(conn, buffered.Reader))
}

// open answers the client that its tunnel is there, and lifts the deadlines of the
// request that asked for it: from here on the TLS server sets its own.
func open(conn net.Conn) error {
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return err
	}
	_, err := conn.Write([]byte("HTTP/1.1 200 Connection established\r\n\r\n"))
	return err
}

// refuse answers with one line that says why and what the proxy is for.
func (p *Proxy) refuse(w http.ResponseWriter, status int, why string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "%s It is the development proxy of Connect with Loop and serves https://%s only.\n", why, strings.Join(p.hosts, ", https://"))
}

// autoConfiguration is the script with which a browser sends the platform's
// hosts through the proxy and all others straight to where they are.
func (p *Proxy) autoConfiguration() []byte {
	conditions := make([]string, len(p.hosts))
	for i, host := range p.hosts {
		conditions[i] = fmt.Sprintf("host === %q", host)
	}
	return fmt.Appendf(nil, "function FindProxyForURL(url, host) {\n  if (%s) {\n    return %q;\n  }\n  return \"DIRECT\";\n}\n",
		strings.Join(conditions, " ||\n      "), "PROXY "+p.address)
}

// tunnels is a listener whose connections are handed over within the process.
type tunnels struct {
	conns  chan net.Conn
	closed chan struct{}
	close  sync.Once
}

func newTunnels() *tunnels {
	return &tunnels{conns: make(chan net.Conn), closed: make(chan struct{})}
}

// hand waits for whoever accepts next and passes the connection on, or closes
// it where nobody will.
func (t *tunnels) hand(conn net.Conn) {
	select {
	case t.conns <- conn:
	case <-t.closed:
		_ = conn.Close()
	}
}

// Accept waits for the next connection; net.ErrClosed once the listener is closed.
func (t *tunnels) Accept() (net.Conn, error) {
	select {
	case conn := <-t.conns:
		return conn, nil
	case <-t.closed:
		return nil, net.ErrClosed
	}
}

// Close ends the listener; connections that nobody has accepted are closed.
func (t *tunnels) Close() error {
	t.close.Do(func() { close(t.closed) })
	return nil
}

// Addr names the listener; it has no address of its own.
func (t *tunnels) Addr() net.Addr { return tunnelAddr{} }

type tunnelAddr struct{}

func (tunnelAddr) Network() string { return "tunnel" }
func (tunnelAddr) String() string  { return "the development proxy" }

// withBuffered gives back what was read ahead of the tunnel: a client may send
// its TLS hello without waiting for the answer.
func withBuffered(conn net.Conn, ahead *bufio.Reader) net.Conn {
	early, _ := ahead.Peek(ahead.Buffered()) // no more than is there: never fails
	if len(early) == 0 {
		return conn
	}
	return &earlyConn{Conn: conn, reader: io.MultiReader(bytes.NewReader(early), conn)}
}

// earlyConn is a connection of which some bytes were read too early.
type earlyConn struct {
	net.Conn
	reader io.Reader
}

// Read gives the early bytes first.
func (c *earlyConn) Read(p []byte) (int, error) { return c.reader.Read(p) }
