package web

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// lockedBuffer is a log that several requests write to.
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

// newTestSite is a site at an address, with a log.
func newTestSite(host string) (*Site, *lockedBuffer) {
	log := &lockedBuffer{}
	return NewSite(Config{
		PublicURL: &url.URL{Scheme: "http", Host: host}, Developers: &url.URL{Scheme: "https", Host: "developers.platform.test"},
		World: loop.Machine{}, Log: slog.New(slog.NewTextHandler(log, nil)),
	}), log
}

func TestSec120_APanicEndsItsOwnRequestAlone(t *testing.T) {
	t.Parallel()
	site, log := newTestSite("platform.test")
	site.API("GET /panic", func(http.ResponseWriter, *http.Request) error { panic("SELECT secret FROM members") })
	site.API("GET /fault", func(http.ResponseWriter, *http.Request) error { return errors.New("SELECT secret FROM members") })
	site.API("GET /beyond", func(_ http.ResponseWriter, r *http.Request) error {
		return errors.New(strings.Split(r.Method, " ")[len(r.Method)])
	})
	site.API("GET /well", func(w http.ResponseWriter, _ *http.Request) error { return WriteJSON(w, http.StatusOK, "well") })
	for _, path := range []string{"/panic", "/fault", "/beyond"} {
		w := httptest.NewRecorder()
		site.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://platform.test"+path, http.NoBody))
		var body errorAnswer
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != http.StatusInternalServerError || body.Error != loop.ServerError {
			t.Errorf("%s is answered %d %s", path, w.Code, w.Body)
		}
		if id := w.Header().Get("X-Request-Id"); id == "" || string(body.RequestID) != id || !strings.Contains(log.String(), id) {
			t.Errorf("%s: the request's id is %q in the header, %q in the answer", path, id, body.RequestID)
		}
		for _, inside := range []string{"SELECT", "secret", "goroutine", ".go", "out of range", "panic"} {
			if strings.Contains(w.Body.String(), inside) {
				t.Errorf("%s shows %q: %s", path, inside, w.Body)
			}
		}
	}
	if !strings.Contains(log.String(), "SELECT secret FROM members") {
		t.Error("the log does not say what happened")
	}
	w := httptest.NewRecorder()
	site.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://platform.test/well", http.NoBody))
	if w.Code != http.StatusOK {
		t.Errorf("the next request is answered %d", w.Code)
	}
}

func TestSec118_EveryWaitOfAServerHasAnEnd(t *testing.T) {
	t.Parallel()
	server := NewServer(http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	for name, wait := range map[string]struct{ is, atMost time.Duration }{
		"a header": {server.ReadHeaderTimeout, 10 * time.Second}, "a request": {server.ReadTimeout, time.Minute},
		"an answer": {server.WriteTimeout, 2 * time.Minute}, "between requests": {server.IdleTimeout, 5 * time.Minute},
	} {
		if wait.is <= 0 || wait.is > wait.atMost {
			t.Errorf("%s may take %v", name, wait.is)
		}
	}
	if server.MaxHeaderBytes <= maxHeaderBytes || server.MaxHeaderBytes > 1<<20 {
		t.Errorf("headers may have %d bytes", server.MaxHeaderBytes)
	}
}

// served starts a server as the platform does, with one route that repeats what it
// was sent, and waits that are short enough for a test.
func served(t *testing.T) (address string) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	site, _ := newTestSite(listener.Addr().String())
	site.API("POST /echo", func(w http.ResponseWriter, r *http.Request) error {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return loop.Errorf(loop.InvalidRequest, "The body ended before it was complete.")
		}
		return WriteJSON(w, http.StatusOK, r.Method+" "+string(body))
	})
	server := NewServer(site.Handler(), slog.New(slog.DiscardHandler))
	server.ReadHeaderTimeout, server.ReadTimeout, server.WriteTimeout, server.IdleTimeout = 200*time.Millisecond, 300*time.Millisecond, time.Second, 200*time.Millisecond
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return listener.Addr().String()
}

// converse sends bytes as they are and gives all answers until the server closes.
func converse(t *testing.T, address, text string) (answers []int, bodies string) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // the test's own
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, _ = conn.Write([]byte(text)) // the server may have closed before the end
	reader := bufio.NewReader(conn)
	for {
		r, err := http.ReadResponse(reader, nil)
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the server waits for ever")
			}
			return answers, bodies
		}
		body, _ := io.ReadAll(r.Body)
		_ = r.Body.Close()
		answers, bodies = append(answers, r.StatusCode), bodies+string(body)
	}
}

func TestSec118_WhoSendsByteByByteIsLeft(t *testing.T) {
	t.Parallel()
	address := served(t)
	host := "Host: " + address + "\r\n"
	var all sync.WaitGroup
	for range 50 { // connections that hold nothing but themselves
		all.Go(func() {
			converse(t, address, "")
			converse(t, address, "POST /echo HTTP/1.1\r\n"+host+"X-Slow: ")
			converse(t, address, "POST /echo HTTP/1.1\r\n"+host+"Content-Length: 1000\r\n\r\nhalf")
		})
	}
	if answers, body := converse(t, address, "POST /echo HTTP/1.1\r\n"+host+"Content-Length: 2\r\n\r\nhi"); len(answers) != 1 || !strings.Contains(body, "POST hi") {
		t.Errorf("others are answered %v %s", answers, body)
	}
	all.Wait()
}

func TestSec119_OneRequestIsNeverReadAsTwo(t *testing.T) {
	t.Parallel()
	address := served(t)
	host := "Host: " + address + "\r\n"
	const smuggled = "POST /echo HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 7\r\n\r\nsecret!"
	for name, head := range map[string]string{
		"a transfer encoding that is none":    "Transfer-Encoding: xchunked\r\n",
		"two transfer encodings":              "Transfer-Encoding: chunked, identity\r\n",
		"chunked twice":                       "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
		"chunked after something else":        "Transfer-Encoding: gzip, chunked\r\n",
		"two lengths":                         "Content-Length: 4\r\nContent-Length: 5\r\n",
		"two lengths in one":                  "Content-Length: 4, 5\r\n",
		"a length with a sign":                "Content-Length: +4\r\n",
		"a length below zero":                 "Content-Length: -1\r\n",
		"a length in hex":                     "Content-Length: 0x4\r\n",
		"a space before the colon":            "Content-Length : 4\r\n",
		"a tab before the colon":              "Transfer-Encoding\t: chunked\r\n",
		"a header with a NUL":                 "X-Header: a\x00b\r\n",
		"a header's name with a line break":   "X-Hea\rder: a\r\n",
		"a value with a lone carriage return": "X-Header: a\rTransfer-Encoding: chunked\r\n",
		"a line that is no header":            "nothing\r\n",
		"a second Host":                       "Host: evil.example\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			answers, bodies := converse(t, address, "POST /echo HTTP/1.1\r\n"+host+head+"\r\n0\r\n\r\n"+smuggled)
			if len(answers) != 1 || answers[0] != http.StatusBadRequest && answers[0] != http.StatusNotImplemented || strings.Contains(bodies, "secret") {
				t.Errorf("it is answered %v %s", answers, bodies)
			}
		})
	}
	for name, body := range map[string]string{
		"a chunk with a length that is none": "xyz\r\nhi\r\n0\r\n\r\n", "a chunk longer than it says": "2\r\nhidden\r\n0\r\n\r\n", "a chunk without end": "5\r\nhi",
		"a chunk of a length beyond all": "fffffffffffffffff\r\nhi\r\n0\r\n\r\n", "a chunk with a sign": "+2\r\nhi\r\n0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			answers, bodies := converse(t, address, "POST /echo HTTP/1.1\r\n"+host+"Transfer-Encoding: chunked\r\n\r\n"+body+smuggled)
			if len(answers) > 1 || len(answers) == 1 && answers[0] != http.StatusBadRequest || strings.Contains(bodies, "secret") {
				t.Errorf("it is answered %v %s", answers, bodies)
			}
		})
	}
	t.Run("RFC 9112 §2.2 a line that ends without a carriage return is a line", func(t *testing.T) {
		// docs/divergences.md says why. What follows hides in no header, and a body
		// in chunks that came so ends the connection, too.
		answers, bodies := converse(t, address, "POST /echo HTTP/1.1\nHost: "+strings.TrimSpace(strings.TrimPrefix(host, "Host:"))+"\nX-Note: a\nContent-Length: 2\n\nhi")
		if len(answers) != 1 || answers[0] != http.StatusOK || !strings.Contains(bodies, "POST hi") {
			t.Errorf("it is answered %v %s", answers, bodies)
		}
		answers, bodies = converse(t, address, "POST /echo HTTP/1.1\r\n"+host+"X-Note: a\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"+smuggled)
		if len(answers) != 1 || strings.Contains(bodies, "secret") {
			t.Errorf("with something behind its chunks it is answered %v %s", answers, bodies)
		}
	})
	t.Run("an upgrade to HTTP/2 in clear is not taken up", func(t *testing.T) {
		answers, _ := converse(t, address, "POST /echo HTTP/1.1\r\n"+host+"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nContent-Length: 2\r\n\r\nhi")
		if len(answers) != 1 || answers[0] != http.StatusOK {
			t.Errorf("it is answered %v", answers)
		}
		if answers, _ := converse(t, address, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"); len(answers) == 1 && answers[0] < 400 {
			t.Errorf("the preface is answered %v", answers)
		}
	})
	t.Run("of a length and chunks, the chunks count and the length is not passed on", func(t *testing.T) {
		// RFC 9112 §6.3: what decides is the transfer encoding. A proxy that goes by
		// the length instead would see what we don't.
		answers, bodies := converse(t, address, "POST /echo HTTP/1.1\r\n"+host+"Content-Length: 100\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n")
		if len(answers) != 1 || !strings.Contains(bodies, "POST hi") {
			t.Errorf("it is answered %v %s", answers, bodies)
		}
	})
	t.Run("behind chunks the connection ends", func(t *testing.T) {
		// net/http takes the length away before anybody can see that both were there
		// (RFC 9112 §6.1): what a proxy passes on behind them is never read.
		for _, length := range []string{"", "Content-Length: 4\r\n", "Content-Length: 100\r\n"} {
			next := "POST /echo HTTP/1.1\r\n" + host + "Content-Length: 7\r\n\r\nsecret!"
			answers, bodies := converse(t, address, "POST /echo HTTP/1.1\r\n"+host+length+"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"+next)
			if len(answers) != 1 || strings.Contains(bodies, "secret") {
				t.Errorf("%q: it is answered %v %s", length, answers, bodies)
			}
		}
	})
}

// Promise: whatever is asked for, the answer says what was wrong, in the platform's
// form.
func TestSite_WhatNoRouteAnswersIsToldApart(t *testing.T) {
	t.Parallel()
	address := served(t)
	for asked, want := range map[string]struct {
		status int
		says   string
	}{
		"OPTIONS *":        {http.StatusNotFound, "not_found"},
		"GET /none":        {http.StatusNotFound, "not_found"},
		"GET /echo/":       {http.StatusNotFound, "not_found"},
		"GET //echo":       {http.StatusNotFound, "not_found"},
		"POST /../echo":    {http.StatusNotFound, "not_found"},
		"GET /echo":        {http.StatusMethodNotAllowed, "It answers POST."},
		"DELETE /echo":     {http.StatusMethodNotAllowed, "It answers POST."},
		"PROPFIND /echo":   {http.StatusMethodNotAllowed, "It answers POST."},
		"CONNECT /echo":    {http.StatusNotFound, "not_found"},
		"GET http://a/b c": {http.StatusBadRequest, ""},
	} {
		answers, bodies := converse(t, address, asked+" HTTP/1.1\r\nHost: "+address+"\r\n\r\n")
		if len(answers) != 1 || answers[0] != want.status || !strings.Contains(bodies, want.says) {
			t.Errorf("%s is answered %v %s", asked, answers, bodies)
		}
	}
}
