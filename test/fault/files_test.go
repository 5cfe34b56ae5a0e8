package fault

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"testing"
)

// holdOpen opens connections to the server until it says that there is no room.
func holdOpen(t *testing.T, s *server) (held []net.Conn) {
	t.Helper()
	for range 2000 {
		var dialer net.Dialer
		conn, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(s.identity, "http://"))
		if err != nil {
			t.Fatalf("with %d connections the server takes no other: %v", len(held), err)
		}
		host := strings.TrimPrefix(s.identity, "http://")
		_, _ = conn.Write([]byte("GET /.well-known/openid-configuration HTTP/1.1\r\nHost: " + host + "\r\n\r\n"))
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("connection %d has no answer: %v", len(held), err)
		}
		_ = response.Body.Close()
		if response.StatusCode == http.StatusServiceUnavailable {
			_ = conn.Close()
			return held
		}
		held = append(held, conn)
	}
	t.Fatal("2,000 connections are held with 1,000 files")
	return nil
}

func TestFiles_AThousandAtMostIsAClearRefusalAndMendsByItself(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		s := newServer(t, e, t.TempDir())
		s.wrap = []string{"sh", "-c", `ulimit -n 1000 && exec "$@"`, "sh"}
		s.start()
		s.app = s.newApp()
		ada := s.newPerson("Ada")
		first, err := ada.connect() // and keeps its connection
		tokens := first.must(t, err)
		held := holdOpen(t, s)
		t.Logf("%d connections were held", len(held))
		if says := s.awaitReady(t, http.StatusServiceUnavailable); !strings.Contains(says, "all connections are taken") {
			t.Errorf("/readyz says: %s", says)
		}
		next, err := ada.refresh(tokens.Refresh) // whoever has a connection is served, to the disk
		next.must(t, err)
		s.loop("client", "list") // and the operator
		s.loop("audit", "verify")
		for _, conn := range held {
			_ = conn.Close()
		}
		s.awaitReady(t, http.StatusOK)
		bert := s.newPerson("Bert")
		first, err = bert.connect()
		first.must(t, err)
		s.stop()
		if strings.Contains(s.process.Stderr.String(), "too many open files") {
			t.Error("the server ran out of files")
		}
	})
}
