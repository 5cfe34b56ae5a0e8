package fault

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// heldConn is a connection of a test's own, from an address that it chose.
type heldConn struct {
	net.Conn
	answers *bufio.Reader
	rest    string // of its request, not sent yet
}

// answerHead is what a test needs of an answer, whose body was read and closed.
type answerHead struct {
	status int
	header http.Header
}

// dialFrom connects to identity from an address of loopback.
func (s *server) dialFrom(t *testing.T, from string) *heldConn {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := dialer.DialContext(t.Context(), "tcp", host(s.identity))
	if err != nil {
		t.Fatalf("connecting from %s: %v", from, err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &heldConn{Conn: conn, answers: bufio.NewReader(conn)}
}

// answer reads the next answer to its end.
func (c *heldConn) answer(t *testing.T) answerHead {
	t.Helper()
	response, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		t.Fatalf("a connection from %s has no answer: %v", c.LocalAddr(), err)
	}
	_, err = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	if err != nil {
		t.Fatalf("a connection from %s has half an answer: %v", c.LocalAddr(), err)
	}
	return answerHead{response.StatusCode, response.Header}
}

// beginToken sends all of a token request but its body, and gives the answer: 100
// where the server waits for the body, so that the connection is not idle.
func (s *server) beginToken(t *testing.T, from string, form url.Values) (*heldConn, answerHead) {
	t.Helper()
	conn := s.dialFrom(t, from)
	conn.rest = form.Encode()
	_, _ = fmt.Fprintf(conn, "POST /v1/oauth/token HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\n"+
		"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n", host(s.identity), len(conn.rest)) // one too many may be closed by now, with an answer
	return conn, conn.answer(t)
}

// holdBusy has an address hold busy connections until the server says that there is
// no room for another.
func holdBusy(t *testing.T, s *server, from string) (held []*heldConn) {
	t.Helper()
	for range 1000 {
		conn, answer := s.beginToken(t, from, url.Values{"grant_type": {"none"}})
		switch answer.status {
		case http.StatusContinue:
			held = append(held, conn)
		case http.StatusServiceUnavailable:
			if answer.header.Get("Retry-After") == "" {
				t.Error("one connection too many is not answered when to try again")
			}
			_ = conn.Close()
			return held
		default:
			t.Fatalf("connection %d from %s is answered %d", len(held), from, answer.status)
		}
	}
	t.Fatalf("%s holds 1,000 connections with 1,000 files", from)
	return nil
}

// holdAll has further addresses hold what a network may, until nothing is left.
func holdAll(t *testing.T, s *server) (held []*heldConn) {
	t.Helper()
	for last := 2; last < 12; last++ {
		of := holdBusy(t, s, fmt.Sprintf("127.0.0.%d", last))
		if len(of) == 0 {
			return held
		}
		held = append(held, of...)
	}
	t.Fatalf("ten addresses hold %d connections, and there is room left", len(held))
	return nil
}

// holdIdle opens more connections from one address than there are files, asks once on
// each, and leaves them open.
func holdIdle(t *testing.T, s *server, from string) {
	t.Helper()
	for range 1500 {
		conn := s.dialFrom(t, from)
		_, _ = fmt.Fprintf(conn, "GET /.well-known/openid-configuration HTTP/1.1\r\nHost: %s\r\n\r\n", host(s.identity))
		if answer := conn.answer(t); answer.status != http.StatusOK {
			t.Fatalf("an idle address is answered %d", answer.status)
		}
	}
}

// newServerWithFiles starts a server that may have a thousand files open. The test is
// left out where loopback has one address only.
func newServerWithFiles(t *testing.T, e engine) *server {
	t.Helper()
	if another, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.2:0"); err != nil {
		t.Skipf("left out: this system has no address 127.0.0.2: %v", err)
	} else {
		_ = another.Close()
	}
	s := newServer(t, e, t.TempDir())
	s.wrap = []string{"sh", "-c", `ulimit -n 1000 && exec "$@"`, "sh"}
	s.start()
	s.app = s.newApp()
	return s
}

// endWithoutLack stops the server and holds it to have never lacked a file.
func endWithoutLack(t *testing.T, s *server) {
	t.Helper()
	s.stop()
	if strings.Contains(s.process.Stderr.String(), "too many open files") {
		t.Error("the server ran out of files")
	}
}

func TestFiles_AThousandAtMostIsAClearRefusalAndMendsByItself(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		s := newServerWithFiles(t, e)
		first, err := s.newPerson("Ada").connect()
		tokens := first.must(t, err)
		begun, answer := s.beginToken(t, "127.0.0.1", url.Values{
			"grant_type": {"refresh_token"}, "refresh_token": {tokens.Refresh}, "client_id": {s.app.ID}, "client_secret": {s.app.Secret},
		})
		if answer.status != http.StatusContinue {
			t.Fatalf("a request that has begun is answered %d", answer.status)
		}
		held := holdAll(t, s)
		t.Logf("%d connections were held", len(held))
		if says := s.awaitReady(t, http.StatusServiceUnavailable); !strings.Contains(says, "all connections are taken") {
			t.Errorf("/readyz says: %s", says)
		}
		_, _ = io.WriteString(begun, begun.rest) // what has begun is served, to the disk
		if answer := begun.answer(t); answer.status != http.StatusOK {
			t.Errorf("a request that began before is answered %d", answer.status)
		}
		s.loop("client", "list") // and the operator
		s.loop("audit", "verify")
		for _, conn := range held {
			_ = conn.Close()
		}
		s.awaitReady(t, http.StatusOK)
		first, err = s.newPerson("Bert").connect()
		first.must(t, err)
		endWithoutLack(t, s)
	})
}

func TestFiles_MoreIdleConnectionsThanFilesKeepNobodyOut(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		s := newServerWithFiles(t, e)
		holdIdle(t, s, "127.0.0.2")
		s.awaitReady(t, http.StatusOK)
		first, err := s.newPerson("Ada").connect()
		first.must(t, err)
		endWithoutLack(t, s)
	})
}
