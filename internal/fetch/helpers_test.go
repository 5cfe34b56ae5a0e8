package fetch

import (
	"context"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/loop-health/loop/internal/loop"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// public are addresses that anybody could have. No test speaks to them.
var public = []netip.Addr{netip.MustParseAddr("8.8.8.8"), netip.MustParseAddr("2606:4700:4700::1111")}

const page = "https://app.example.com/keys.json"

// outside is the rest of the world: a DNS that answers as it is set up, and one
// server that stands behind every address.
type outside struct {
	server *httptest.Server

	mu       sync.Mutex
	answers  [][]netip.Addr // one for each question; the last one stays
	asked    []string
	dialled  []string
	requests []*http.Request

	open atomic.Int64 // connections
}

// newOutside starts a server with TLS, and a client for which it is the world.
func newOutside(t *testing.T, handler http.HandlerFunc, answers ...[]netip.Addr) (*outside, *Client) {
	t.Helper()
	o := &outside{answers: append(answers, public)[:max(1, len(answers))]}
	o.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		o.requests = append(o.requests, r)
		o.mu.Unlock()
		handler(w, r)
	}))
	o.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // hang-ups are what is tested
	o.server.StartTLS()
	t.Cleanup(o.server.Close)
	t.Cleanup(func() {
		if left := o.open.Load(); left != 0 {
			t.Errorf("%d connections are left open", left)
		}
	})
	return o, o.client(Config{})
}

func (o *outside) client(config Config) *Client {
	if config.Roots == nil {
		config.Roots = x509.NewCertPool()
		config.Roots.AddCert(o.server.Certificate())
	}
	c := New(config)
	c.lookup, c.dial = o.lookup, o.dial
	return c
}

func (o *outside) lookup(_ context.Context, host string) ([]netip.Addr, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	answer := o.answers[min(len(o.asked), len(o.answers)-1)]
	o.asked = append(o.asked, host)
	if answer == nil {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return append([]netip.Addr(nil), answer...), nil
}

// dial notes where it was to go, judges it as the operating system's dial would,
// and goes to the server.
func (o *outside) dial(ctx context.Context, dialer *net.Dialer, address string) (net.Conn, error) {
	if err := dialer.Control("tcp", address, nil); err != nil {
		return nil, err
	}
	o.mu.Lock()
	o.dialled = append(o.dialled, address)
	o.mu.Unlock()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", o.server.Listener.Addr().String())
	if err != nil {
		return nil, err
	}
	o.open.Add(1)
	return &counted{Conn: conn, closed: sync.OnceFunc(func() { o.open.Add(-1) })}, nil
}

// counted is a connection that signals when it is closed.
type counted struct {
	net.Conn
	closed func()
}

func (c *counted) Close() error {
	c.closed()
	return c.Conn.Close()
}

// keys answers with a small document of the right type.
func keys(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write([]byte(`{"keys":[]}`))
}

// refused checks that the error is the platform's, of this code, may be shown,
// and says what is wanted.
func refused(t *testing.T, err error, code loop.Code, says string) {
	t.Helper()
	if err == nil {
		t.Fatal("it was not refused")
	}
	e := loop.AsError(err)
	if e.Code != code || !strings.Contains(e.Description, says) {
		t.Errorf("got %v; want %s that says %q", err, code, says)
	}
	for _, r := range e.Description {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			t.Errorf("RFC 6749 §5.2: the description holds %q", r)
		}
	}
}

// within fails the test if it waits for longer than any machine takes.
func within[T any](t *testing.T, events <-chan T) T {
	t.Helper()
	select {
	case event := <-events:
		return event
	case <-time.After(30 * time.Second):
		t.Fatal("nothing happened")
		panic("unreachable")
	}
}
