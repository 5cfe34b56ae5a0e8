package web

import (
	"bytes"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// maxStreams is as many requests as one connection may have going.
const maxStreams = 250

// overHTTP2 serves a handler by HTTP/2 as the platform does, and opens a connection
// on which the test writes its own frames.
func overHTTP2(t *testing.T, h http.Handler) (*httptest.Server, *http2.Framer) {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.Config = NewServer(h, slog.New(slog.DiscardHandler))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	config := server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	config.NextProtos = []string{"h2"}
	conn, err := (&tls.Dialer{Config: config}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	framer := http2.NewFramer(conn, conn)
	if err := framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	return server, framer
}

// requestBlock is the encoded head of a GET.
func requestBlock(t *testing.T, host string) []byte {
	t.Helper()
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, field := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", host}, {":path", "/"}} {
		if err := encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]}); err != nil {
			t.Fatal(err)
		}
	}
	return block.Bytes()
}

// othersAreServed holds the server to answer a client that behaves.
func othersAreServed(t *testing.T, server *httptest.Server) {
	t.Helper()
	r, err := server.Client().Get(server.URL + "/well") //nolint:noctx // the server's own client ends with it
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	if r.StatusCode != http.StatusOK || r.ProtoMajor != 2 {
		t.Errorf("another client is answered %d by %s", r.StatusCode, r.Proto)
	}
}

func TestSec118_OneConnectionHasABoundedNumberOfStreams(t *testing.T) {
	t.Parallel()
	_, framer := overHTTP2(t, http.NotFoundHandler())
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		settings, ok := frame.(*http2.SettingsFrame)
		if !ok || settings.IsAck() {
			continue
		}
		if streams, said := settings.Value(http2.SettingMaxConcurrentStreams); !said || streams > maxStreams {
			t.Errorf("a connection may have %d streams (said: %t)", streams, said)
		}
		return
	}
}

// CVE-2023-39325: streams that are reset at once keep their handlers going.
func TestSec118_RapidResetsStartNoMoreThanStreamsAreAllowed(t *testing.T) {
	t.Parallel()
	var at, most atomic.Int32
	release := make(chan struct{})
	server, framer := overHTTP2(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/well" {
			return
		}
		for now := at.Add(1); ; {
			if was := most.Load(); now <= was || most.CompareAndSwap(was, now) {
				break
			}
		}
		<-release
		at.Add(-1)
	}))
	defer close(release)
	block := requestBlock(t, server.Listener.Addr().String())
	ended := make(chan struct{})
	go func() { // the server says why it ends the connection: somebody has to read it
		defer close(ended)
		for {
			if _, err := framer.ReadFrame(); err != nil {
				return
			}
		}
	}()
	for id := uint32(1); id < 20_000; id += 2 {
		err := framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndStream: true, EndHeaders: true})
		if err == nil {
			err = framer.WriteRSTStream(id, http2.ErrCodeCancel)
		}
		if err != nil {
			break // the server has had enough
		}
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("10,000 resets do not end the connection")
	}
	if most.Load() > maxStreams {
		t.Errorf("%d requests were going at once", most.Load())
	}
	othersAreServed(t, server)
}

// CVE-2023-45288: a head without end.
func TestSec118_AHeadersContinuationsEnd(t *testing.T) {
	t.Parallel()
	server, framer := overHTTP2(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	if err := framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: requestBlock(t, server.Listener.Addr().String())}); err != nil {
		t.Fatal(err)
	}
	var filler bytes.Buffer
	if err := hpack.NewEncoder(&filler).WriteField(hpack.HeaderField{Name: "x", Value: string(bytes.Repeat([]byte("x"), 12<<10)), Sensitive: true}); err != nil {
		t.Fatal(err)
	}
	const enough = 64 << 20
	sent := 0
	for ; sent < enough; sent += filler.Len() {
		if err := framer.WriteContinuation(1, false, filler.Bytes()); err != nil {
			break
		}
	}
	if sent >= enough {
		t.Errorf("%d bytes of a head were taken", sent)
	}
	othersAreServed(t, server)
}
