package dev

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// startProxy serves a proxy for one host, whose tunnels echo what they are sent.
func startProxy(t *testing.T) (address string, proxy *Proxy) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	address = server.Listener.Addr().String()
	proxy = NewProxy(address, []string{"identity.platform.loop.health", "clinical.platform.loop.health"})
	server.Config.Handler = proxy
	server.Start()
	echoed := make(chan struct{})
	go func() {
		defer close(echoed)
		for {
			conn, err := proxy.Tunnels().Accept()
			if err != nil {
				return
			}
			_, _ = io.Copy(conn, conn)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = proxy.Tunnels().Close()
		server.Close()
		<-echoed
	})
	return address, proxy
}

// send opens a connection, sends the text and gives the answer's head.
func send(t *testing.T, address, text string) (status int, conn net.Conn, reader *bufio.Reader) {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	reader = bufio.NewReader(conn)
	answer, err := http.ReadResponse(reader, &http.Request{Method: http.MethodConnect})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // a body that ends with the connection is only closed after it
		_ = conn.Close()
		_ = answer.Body.Close()
	})
	return answer.StatusCode, conn, reader
}

func connect(host string) string {
	return fmt.Sprintf("CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", host, host)
}

func TestProxy_RFC9110_9_3_6_TunnelsToItsHosts(t *testing.T) {
	t.Parallel()
	address, _ := startProxy(t)
	for name, sent := range map[string]string{
		"what is sent after the answer":             "",
		"what is sent ahead of it is not lost":      "early, ",
		"the host's name is written as one pleases": "",
	} {
		t.Run(name, func(t *testing.T) {
			host := "identity.platform.loop.health:443"
			if strings.HasPrefix(name, "the host") {
				host = "Identity.Platform.Loop.Health:443"
			}
			status, conn, reader := send(t, address, connect(host)+sent)
			if status != http.StatusOK {
				t.Fatalf("got %d", status)
			}
			if _, err := io.WriteString(conn, "late"); err != nil {
				t.Fatal(err)
			}
			if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			echoed, err := io.ReadAll(reader)
			if err != nil || string(echoed) != sent+"late" {
				t.Errorf("got %q, %v; want %q", echoed, err, sent+"late")
			}
		})
	}
}

func TestProxy_RefusesAllElseAndSaysWhy(t *testing.T) {
	t.Parallel()
	address, _ := startProxy(t)
	for name, test := range map[string]struct {
		request string
		status  int
		says    string
	}{
		"CONNECT to another host":         {connect("example.com:443"), http.StatusForbidden, "other hosts"},
		"CONNECT to this machine":         {connect("localhost:443"), http.StatusForbidden, "other hosts"},
		"CONNECT to an address":           {connect("127.0.0.1:22"), http.StatusForbidden, "other hosts"},
		"CONNECT to a name that ends so":  {connect("x.identity.platform.loop.health:443"), http.StatusForbidden, "other hosts"},
		"CONNECT to another port":         {connect("identity.platform.loop.health:22"), http.StatusForbidden, "443"},
		"CONNECT without a port":          {connect("identity.platform.loop.health"), http.StatusForbidden, "other hosts"},
		"plain http through the proxy":    {"GET http://identity.platform.loop.health/ HTTP/1.1\r\nHost: identity.platform.loop.health\r\n\r\n", http.StatusForbidden, "plain http"},
		"plain http to another":           {"POST http://example.com/ HTTP/1.1\r\nHost: example.com\r\nContent-Length: 0\r\n\r\n", http.StatusForbidden, "plain http"},
		"https in the request line":       {"GET https://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n", http.StatusForbidden, "plain http"},
		"anything but /proxy.pac":         {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", http.StatusNotFound, "/proxy.pac"},
		"anything but reading /proxy.pac": {"POST /proxy.pac HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", http.StatusMethodNotAllowed, "GET"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, _, reader := send(t, address, test.request)
			line, err := reader.ReadString('\n')
			if status != test.status || err != nil || !strings.Contains(line, test.says) || !strings.Contains(line, "https://identity.platform.loop.health") {
				t.Errorf("got %d, %q, %v", status, line, err)
			}
		})
	}
}

func TestProxy_TellsBrowsersWhatItServes(t *testing.T) {
	t.Parallel()
	address, _ := startProxy(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/proxy.pac", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close() //nolint:errcheck // read to its end
	script, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if kind := answer.Header.Get("Content-Type"); kind != "application/x-ns-proxy-autoconfig" {
		t.Errorf("Content-Type is %q", kind)
	}
	for _, want := range []string{`host === "identity.platform.loop.health"`, `host === "clinical.platform.loop.health"`, `"PROXY ` + address + `"`, `"DIRECT"`} {
		if !strings.Contains(string(script), want) {
			t.Errorf("the script lacks %s:\n%s", want, script)
		}
	}
}

func TestProxy_ClosesTunnelsThatNobodyAccepts(t *testing.T) {
	t.Parallel()
	address, proxy := startProxy(t)
	if err := proxy.Tunnels().Close(); err != nil {
		t.Fatal(err)
	}
	_, _, reader := send(t, address, connect("identity.platform.loop.health:443"))
	if _, err := reader.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("the tunnel is still open: %v", err)
	}
	if _, err := proxy.Tunnels().Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept after Close: got %v, want net.ErrClosed", err)
	}
}
