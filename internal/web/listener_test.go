package web_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/web"
)

// bounded is a server on loopback with so many connections. A request for /held is
// answered when the test ends.
type bounded struct {
	t           *testing.T
	connections *web.Connections
	address     string
	states      chan http.ConnState
	held        chan struct{}
}

func newBounded(t *testing.T, most int, proxies ...netip.Prefix) *bounded {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &bounded{t: t, connections: web.NewConnections(most, proxies...), address: listener.Addr().String(), states: make(chan http.ConnState, 1<<14), held: make(chan struct{})}
	server := &http.Server{
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/held" {
				<-b.held
			}
		}),
		ConnState: func(conn net.Conn, state http.ConnState) {
			b.connections.Track(conn, state)
			b.states <- state
		},
	}
	go server.Serve(b.connections.Limit(listener, true)) //nolint:errcheck // it ends with the test
	t.Cleanup(func() { _ = server.Close() })
	t.Cleanup(func() { close(b.held) })
	return b
}

// await waits until the server has seen so many connections come to a state.
func (b *bounded) await(want http.ConnState, times int) {
	b.t.Helper()
	for times > 0 {
		select {
		case state := <-b.states:
			if state == want {
				times--
			}
		case <-b.t.Context().Done():
			b.t.Fatalf("no connection has become %s", want)
		}
	}
}

// dial connects from an address of loopback.
func (b *bounded) dial(from string) net.Conn {
	b.t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := dialer.DialContext(context.Background(), "tcp4", b.address)
	if err != nil {
		b.t.Skipf("this system has no address %s: %v", from, err)
	}
	b.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// ask requests / and gives the status line, or why there is none.
func (b *bounded) ask(conn net.Conn) string {
	b.t.Helper()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"); err != nil {
		return err.Error()
	}
	status := make([]byte, len("HTTP/1.1 200"))
	if _, err := io.ReadFull(conn, status); err != nil {
		return err.Error()
	}
	return string(status)
}

// hold has a connection from 127.0.0.1 busy until the test ends.
func (b *bounded) hold() {
	b.t.Helper()
	_, _ = io.WriteString(b.dial("127.0.0.1"), "GET /held HTTP/1.1\r\nHost: a.example\r\n\r\n") // await tells
	b.await(http.StateActive, 1)
}

func TestSec192_AThousandIdleConnectionsOfOneAddressKeepNobodyOut(t *testing.T) {
	t.Parallel()
	b := newBounded(t, 40)
	var first net.Conn
	for i := range 1000 {
		conn := b.dial("127.0.0.1")
		if i == 0 {
			first = conn
		}
	}
	if got := b.ask(b.dial("127.0.0.2")); !strings.HasSuffix(got, "200") {
		t.Errorf("another address is answered %s", got)
	}
	if got := b.ask(b.dial("127.0.0.1")); !strings.HasSuffix(got, "200") {
		t.Errorf("the same address is answered %s", got)
	}
	if got := b.ask(first); strings.HasSuffix(got, "200") {
		t.Error("the connection that was idle for longest is still there")
	}
	if err := b.connections.Ready(); err != nil {
		t.Error(err)
	}
}

func TestSec192_ABusyNetworkHasItsShareAndNoMore(t *testing.T) {
	t.Parallel()
	b := newBounded(t, 8)
	b.hold()
	b.hold()
	if got := b.ask(b.dial("127.0.0.1")); !strings.HasSuffix(got, "503") {
		t.Errorf("a third connection of a network that may have two is answered %s", got)
	}
	if got := b.ask(b.dial("127.0.0.2")); !strings.HasSuffix(got, "200") {
		t.Errorf("another address is answered %s", got)
	}
}

func TestSec192_AProxyHasNoShareOfItsOwn(t *testing.T) {
	t.Parallel()
	b := newBounded(t, 4, netip.MustParsePrefix("127.0.0.0/30"))
	for range 3 {
		b.hold()
	}
	if got := b.ask(b.dial("127.0.0.1")); !strings.HasSuffix(got, "200") {
		t.Errorf("a connection of a proxy's is answered %s", got)
	}
}

func TestConnections_OneTooManyIsToldSoAndALaterOneIsServed(t *testing.T) {
	t.Parallel()
	b := newBounded(t, 2)
	b.hold()
	busy := b.dial("127.0.0.2")
	_, _ = io.WriteString(busy, "GET /held HTTP/1.1\r\nHost: a.example\r\n\r\n") // await tells
	b.await(http.StateActive, 1)
	if err := b.connections.Ready(); !errors.Is(err, web.ErrNoRoom) {
		t.Errorf("with two that are busy: %v", err)
	}
	if got := b.ask(b.dial("127.0.0.3")); !strings.HasSuffix(got, "503") {
		t.Errorf("one too many is answered %s", got)
	}
	b.held <- struct{}{}
	b.await(http.StateIdle, 1)
	if err := b.connections.Ready(); err != nil {
		t.Errorf("once one is idle: %v", err)
	}
	if got := b.ask(b.dial("127.0.0.3")); !strings.HasSuffix(got, "200") {
		t.Errorf("after another has become idle: %s", got)
	}
}
