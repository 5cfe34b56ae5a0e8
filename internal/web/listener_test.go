package web_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/web"
)

func TestConnections_OneTooManyIsToldSoAndALaterOneIsServed(t *testing.T) {
	t.Parallel()
	connections := web.NewConnections(2)
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan struct{}, 8)
	server := &http.Server{
		Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed {
				closed <- struct{}{}
			}
		},
	}
	go server.Serve(connections.Limit(listener, true)) //nolint:errcheck // it ends with the test
	t.Cleanup(func() { _ = server.Close() })

	ask := func() (net.Conn, string) {
		t.Helper()
		var dialer net.Dialer
		conn, err := dialer.DialContext(t.Context(), "tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
		status := make([]byte, len("HTTP/1.1 200"))
		if _, err := io.ReadFull(conn, status); err != nil {
			t.Fatal(err)
		}
		return conn, string(status)
	}
	first, status := ask()
	if !strings.HasSuffix(status, "200") || connections.Ready() != nil {
		t.Errorf("with room for two: %s, %v", status, connections.Ready())
	}
	_, status = ask()
	if !strings.HasSuffix(status, "200") || !errors.Is(connections.Ready(), web.ErrNoRoom) {
		t.Errorf("the last one: %s, %v", status, connections.Ready())
	}
	if _, status = ask(); !strings.HasSuffix(status, "503") {
		t.Errorf("one too many: %s", status)
	}
	_ = first.Close()
	<-closed
	if _, status = ask(); !strings.HasSuffix(status, "200") {
		t.Errorf("after another has left: %s", status)
	}
}
