package fault

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/loop-health/loop/test/process"
)

// answers is what the clients of a test were answered, by request.
type answers struct {
	mu  sync.Mutex
	got map[string]bool
}

// RoundTrip notes the answers that arrived whole.
func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(strings.NewReader(string(body)))
	a.mu.Lock()
	defer a.mu.Unlock()
	a.got[response.Header.Get("X-Request-Id")] = true
	return response, nil
}

func (a *answers) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.got)
}

// logged is the requests that a server took up: it writes a line for each.
func logged(p *process.Process) []string {
	var requests []string
	for line := range strings.Lines(p.Stderr.String()) {
		var record struct {
			Message string `json:"msg"`
			Request string `json:"request_id"`
		}
		if json.Unmarshal([]byte(line), &record) == nil && record.Message == "request" {
			requests = append(requests, record.Request)
		}
	}
	return requests
}

func TestStop_EveryAcceptedRequestIsAnsweredAndReadinessIsRedFirst(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		s := startServer(t, e)
		got := &answers{got: make(map[string]bool)}
		clients, _ := begin(t, s, 8)
		for _, c := range clients {
			c.http.Transport = got
		}
		for range sized(3, 20) {
			before := got.count()
			wait := loadOf(t, clients)
			await(t, "nothing is answered", func() (string, bool) { return "", got.count() >= before+40 })
			slow := openSlow(t, s)
			s.process.Signal(syscall.SIGTERM)
			if says := s.awaitReady(t, http.StatusServiceUnavailable); !strings.Contains(says, "stopping") {
				t.Errorf("/readyz says: %s", says)
			}
			got.mu.Lock()
			got.got[slow.finish(t)] = true
			got.mu.Unlock()
			if status := s.process.Wait(t); status != 0 {
				t.Fatalf("loop serve ended with status %d after SIGTERM", status)
			}
			wait()
			s.sound()
			unanswered := 0
			for _, request := range logged(s.process) {
				if !got.got[request] {
					unanswered++
				}
			}
			if unanswered > 0 {
				t.Errorf("%d requests were accepted and not answered", unanswered)
			}
			for _, c := range clients {
				if c.asked { // its connection was closed before the request was read
					c.held, c.asked = tokens{}, false
				}
			}
			s.start()
		}
		all(t, clients, (*client).returns)
		s.stop()
		s.verifyAudit()
	})
}

// slow is a request that has not been sent to its end.
type slow struct{ conn net.Conn }

func openSlow(t *testing.T, s *server) *slow {
	t.Helper()
	host := strings.TrimPrefix(s.identity, "http://")
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(process.Patience))
	// Once the server asks for the body, the request is its own.
	_, err = fmt.Fprintf(conn, "POST /v1/oauth/token HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n", host)
	if err != nil {
		t.Fatal(err)
	}
	goOn := make([]byte, len("HTTP/1.1 100 Continue\r\n\r\n"))
	if _, err := io.ReadFull(conn, goOn); err != nil {
		t.Fatal(err)
	}
	return &slow{conn}
}

// finish sends the rest and gives the id under which it was answered.
func (s *slow) finish(t *testing.T) string {
	t.Helper()
	defer func() { _ = s.conn.Close() }()
	if _, err := io.WriteString(s.conn, "grant_type"); err != nil {
		t.Fatal(err)
	}
	answered, err := io.ReadAll(s.conn)
	if err != nil {
		t.Fatal(err)
	}
	head := string(answered)
	if !strings.HasPrefix(head, "HTTP/1.1 4") {
		t.Errorf("a request that was accepted before the stop is answered %q", head)
	}
	_, after, _ := strings.Cut(head, "X-Request-Id: ")
	id, _, _ := strings.Cut(after, "\r\n")
	return id
}
