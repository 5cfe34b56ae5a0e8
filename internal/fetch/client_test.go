package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

func TestGet_FetchesADocument(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"with a charset": keys,
		"its type in capitals": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "Application/JSON")
			_, _ = io.WriteString(w, `{"keys":[]}`)
		},
		"another of the types": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/jwk-set+json")
			_, _ = io.WriteString(w, `{"keys":[]}`)
		},
		"after early hints": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			keys(w, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, c := newOutside(t, handler)
			body, err := c.Get(t.Context(), page+"?v=1", "application/json", "application/jwk-set+json")
			if err != nil || string(body) != `{"keys":[]}` {
				t.Fatalf("got %q, %v", body, err)
			}
			r := o.requests[0]
			if r.Method != http.MethodGet || r.Host != "app.example.com" || r.RequestURI != "/keys.json?v=1" || !r.Close || r.Header.Get("Accept") != "application/json, application/jwk-set+json" {
				t.Errorf("it asked %s %s%s, %v", r.Method, r.Host, r.RequestURI, r.Header)
			}
		})
	}
	t.Run("of 64 KiB to the byte", func(t *testing.T) {
		t.Parallel()
		_, c := newOutside(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = w.Write(make([]byte, maxBodyBytes))
		})
		if body, err := c.Get(t.Context(), page, "text/plain"); err != nil || len(body) != maxBodyBytes {
			t.Errorf("got %d bytes, %v", len(body), err)
		}
	})
}

func TestPost_SendsABodyAndTellsTheStatus(t *testing.T) {
	t.Parallel()
	for _, want := range []int{200, 204, 400, 404, 410, 500, 503} {
		t.Run(strconv.Itoa(want), func(t *testing.T) {
			t.Parallel()
			received := make(chan string, 1)
			o, c := newOutside(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				received <- string(body)
				w.WriteHeader(want)
			})
			status, err := c.Post(t.Context(), page, "application/x-www-form-urlencoded", []byte("logout_token=x"))
			if err != nil || status != want || within(t, received) != "logout_token=x" {
				t.Errorf("got %d, %v", status, err)
			}
			if r := o.requests[0]; len(o.requests) != 1 || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.ContentLength != 14 {
				t.Errorf("it sent %d requests: %s, %v", len(o.requests), r.Method, r.Header)
			}
		})
	}
}

func TestSec111_NoRedirectIsFollowed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{300, 301, 302, 303, 304, 305, 307, 308} {
		for _, to := range []string{"http://10.0.0.1/", "https://169.254.169.254/latest/meta-data/", "file:///etc/passwd", "gopher://127.0.0.1:6379/_FLUSHALL", "http://app.example.com/", "https://app.example.com/other", "/keys.json", ""} {
			t.Run(fmt.Sprint(status, " to ", to), func(t *testing.T) {
				t.Parallel()
				o, c := newOutside(t, func(w http.ResponseWriter, _ *http.Request) {
					if to != "" {
						w.Header().Set("Location", to)
					}
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(status)
				})
				body, err := c.Get(t.Context(), page, "application/json")
				refused(t, err, loop.TemporarilyUnavailable, "no redirect is followed")
				_, err = c.Post(t.Context(), page, "application/json", []byte("{}"))
				refused(t, err, loop.TemporarilyUnavailable, "no redirect is followed")
				if body != nil || len(o.requests) != 2 || len(o.asked) != 2 {
					t.Errorf("%d requests, names %q, body %q", len(o.requests), o.asked, body)
				}
			})
		}
	}
}

// secret is what answers hold that nobody may read in an error.
const secret = "c2VjcmV0-of-an-inner-service"

func TestSec112_AnswersThatAreRefused(t *testing.T) {
	t.Parallel()
	answer := func(kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{kind}
			_, _ = io.WriteString(w, body)
		}
	}
	status := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			if status != http.StatusNoContent {
				_, _ = io.WriteString(w, secret)
			}
		}
	}
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		says    string
	}{
		"HTML":                   {answer("text/html", secret), "Content-Type"},
		"no type":                {answer("", secret), "Content-Type"},
		"a type that is no type": {answer(secret, secret), "Content-Type"},
		"a type that begins so":  {answer("application/jsonp", secret), "Content-Type"},
		"two types in one":       {answer("text/html, application/json", secret), "Content-Type"},
		"64 KiB and a byte":      {answer("application/json", secret+strings.Repeat("a", maxBodyBytes+1-len(secret))), "64 KiB"},
		"200 bytes, 10 promised": {raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 200\r\n\r\n" + secret), "breaks off"},
		"chunks that are none":   {raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + secret), "breaks off"},
		"another protocol":       {raw("SSH-2.0-" + secret + "\r\n"), "not HTTP"},
		"a line that is none":    {raw("HTTP/1.1 200 OK\r\n" + secret + "\r\n\r\n"), "not HTTP"},
		"a status that is none":  {raw("HTTP/1.1 " + secret + "\r\n\r\n"), "not HTTP"},
		"two lengths":            {raw("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n" + secret), "not HTTP"},
		"nothing":                {raw(""), "not HTTP"},
		"switching protocols":    {raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n" + secret), "101"},
		"201":                    {status(201), "201"},
		"204":                    {status(204), "204"},
		"206":                    {status(206), "206"},
		"401":                    {status(401), "401"},
		"404":                    {status(404), "404"},
		"500":                    {status(500), "500"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, c := newOutside(t, test.handler)
			body, err := c.Get(t.Context(), page, "application/json")
			refused(t, err, loop.TemporarilyUnavailable, test.says)
			holdsNothing(t, body, err)
		})
	}
	t.Run("Post: switching protocols", func(t *testing.T) {
		t.Parallel()
		_, c := newOutside(t, raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"+secret))
		_, err := c.Post(t.Context(), page, "text/plain", nil)
		refused(t, err, loop.TemporarilyUnavailable, "101")
	})
	for size, fits := range map[int]bool{15 << 10: true, 17 << 10: false} {
		t.Run(fmt.Sprintf("headers of %d bytes", size), func(t *testing.T) {
			t.Parallel()
			_, c := newOutside(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Header", strings.Repeat("a", size))
				keys(w, r)
			})
			if _, err := c.Get(t.Context(), page, "application/json"); err == nil != fits {
				t.Errorf("got %v", err)
			}
		})
	}
}

// holdsNothing checks that neither the error nor anything beneath it quotes the answer.
func holdsNothing(t *testing.T, body []byte, err error) {
	t.Helper()
	if body != nil {
		t.Errorf("it gave %d bytes all the same", len(body))
	}
	for ; err != nil; err = errors.Unwrap(err) {
		if strings.Contains(fmt.Sprintf("%+v", err), secret) {
			t.Errorf("the error holds the answer: %v", err)
		}
	}
}

// raw answers with these bytes and hangs up.
func raw(answer string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(conn, answer)
		_ = conn.Close()
	}
}

// endless answers with a head, and then the same again until nobody takes it.
// It counts how many bytes were taken.
func endless(head, again string, taken chan<- int64) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close() //nolint:errcheck // there is nobody to report to
		block := []byte(strings.Repeat(again, max(1, 4096/len(again))))
		n, err := io.WriteString(conn, head)
		sum := int64(n)
		for err == nil && sum < 1<<30 {
			n, err = conn.Write(block)
			sum += int64(n)
		}
		taken <- sum
	}
}

func TestSec112_AnswersWithoutEnd(t *testing.T) {
	t.Parallel()
	const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	for name, test := range map[string]struct{ head, again, says string }{
		"1 GiB with its length":        {head + "Content-Length: 1073741824\r\n\r\n", secret, "64 KiB"},
		"1 GiB until the end":          {head + "\r\n", secret, "64 KiB"},
		"chunks":                       {head + "Transfer-Encoding: chunked\r\n\r\n", "1c\r\n" + secret + "\r\n", "64 KiB"},
		"chunks of a byte":             {head + "Transfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n", "breaks off"},
		"chunks with long extensions":  {head + "Transfer-Encoding: chunked\r\n\r\n", "1;" + strings.Repeat("x", 3000) + "\r\na\r\n", ""},
		"trailers":                     {head + "Transfer-Encoding: chunked\r\n\r\n0\r\n", "X-Trailer: " + secret + "\r\n", "breaks off"},
		"headers":                      {"HTTP/1.1 200 OK\r\n", "X-Header: " + secret + "\r\n", "headers"},
		"one header":                   {"HTTP/1.1 200 OK\r\nX-Header: ", secret, "headers"},
		"a status line":                {"HTTP/1.1 200 ", secret, "headers"},
		"answers that are no last one": {"", "HTTP/1.1 103 Early Hints\r\nX-Header: " + secret + "\r\n\r\n", "headers"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			taken := make(chan int64, 2)
			_, c := newOutside(t, endless(test.head, test.again, taken))
			c.timeout = time.Minute // it is the size that ends it
			body, err := c.Get(t.Context(), page, "application/json")
			refused(t, err, loop.TemporarilyUnavailable, test.says)
			holdsNothing(t, body, err)
			if sum := within(t, taken); sum > 64<<20 {
				t.Errorf("%d bytes were taken", sum) // most of them by the system's buffers
			}
			if status, err := c.Post(t.Context(), page, "text/plain", nil); err == nil != (status == http.StatusOK) {
				t.Errorf("Post: %d, %v", status, err)
			}
			if sum := within(t, taken); sum > 64<<20 {
				t.Errorf("Post: %d bytes were taken", sum)
			}
		})
	}
}

func TestSec112_GzipBomb(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	zip, _ := gzip.NewWriterLevel(&bomb, gzip.BestCompression)
	_, _ = zip.Write(make([]byte, 16<<20))
	_ = zip.Close()
	o, c := newOutside(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	})
	_, err := c.Get(t.Context(), page, "application/json")
	refused(t, err, loop.TemporarilyUnavailable, "compressed")
	if asked := o.requests[0].Header["Accept-Encoding"]; len(asked) != 1 || asked[0] != "identity" {
		t.Errorf("it asked for %q", asked)
	}
}

// pipe is a dial to a server of a text that goes on byte by byte, one a second.
func pipe(head, again string) func(context.Context, *net.Dialer, string) (net.Conn, error) {
	return func(context.Context, *net.Dialer, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			_, _ = io.Copy(io.Discard, theirs)
		}()
		go func() {
			defer theirs.Close() //nolint:errcheck // there is nobody to report to
			_, err := io.WriteString(theirs, head)
			for i := 0; err == nil; i++ {
				select {
				case <-time.After(time.Second):
					_, err = io.WriteString(theirs, again[i%len(again):][:1])
				case <-gone:
					return
				}
			}
		}()
		return ours, nil
	}
}

// slow is a client of one host, which it asks in plain http too.
func slow(dial func(context.Context, *net.Dialer, string) (net.Conn, error)) *Client {
	c := New(Config{AllowedHosts: []string{"slow.example.com"}})
	c.lookup = func(context.Context, string) ([]netip.Addr, error) { return public[:1], nil }
	c.dial = dial
	return c
}

// never waits for what does not come.
func never(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestSec112_OneByteASecondIsGivenUpAfterFive(t *testing.T) {
	t.Parallel()
	const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	for name, test := range map[string]struct{ url, head, again string }{
		"a body":                  {"http://slow.example.com/", head + "Content-Length: 60000\r\n\r\n", "a"},
		"a body in chunks":        {"http://slow.example.com/", head + "Transfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n"},
		"headers":                 {"http://slow.example.com/", head + "X-Header: ", "a"},
		"answers before the last": {"http://slow.example.com/", "", "HTTP/1.1 103 Early Hints\r\n\r\n"},
		"a handshake":             {"https://slow.example.com/", "\x16\x03\x03\x40\x00", "\x02"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, began := slow(pipe(test.head, test.again)), time.Now()
				body, err := c.Get(t.Context(), test.url, "application/json")
				refused(t, err, loop.TemporarilyUnavailable, "in time")
				if took := time.Since(began); body != nil || took != 5*time.Second || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("after %v: %q, %v", took, body, err)
				}
			})
		})
	}
	t.Run("a server that reads nothing", func(t *testing.T) {
		t.Parallel()
		for _, url := range []string{"http://slow.example.com/", "https://slow.example.com/"} {
			synctest.Test(t, func(t *testing.T) {
				c := slow(func(context.Context, *net.Dialer, string) (net.Conn, error) {
					ours, _ := net.Pipe()
					return ours, nil
				})
				began := time.Now()
				_, err := c.Post(t.Context(), url, "text/plain", []byte("x"))
				if took := time.Since(began); took != 5*time.Second || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s: after %v: %v", url, took, err)
				}
			})
		}
	})
	t.Run("what is delivered is delivered, however long the answer", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c, began := slow(pipe(head+"Content-Length: 60000\r\n\r\n", "a")), time.Now()
			status, err := c.Post(t.Context(), "http://slow.example.com/", "text/plain", []byte("x"))
			if took := time.Since(began); status != http.StatusOK || err != nil || took != 5*time.Second {
				t.Errorf("after %v: %d, %v", took, status, err)
			}
		})
	})
	t.Run("names, connections and slots that do not come", func(t *testing.T) {
		t.Parallel()
		for name, spoil := range map[string]func(t *testing.T, c *Client){
			"a name": func(_ *testing.T, c *Client) {
				c.lookup = func(ctx context.Context, _ string) ([]netip.Addr, error) { return nil, never(ctx) }
			},
			"a connection": func(_ *testing.T, c *Client) {
				c.dial = func(ctx context.Context, _ *net.Dialer, _ string) (net.Conn, error) { return nil, never(ctx) }
			},
			"a slot of all": func(t *testing.T, c *Client) {
				for i := range slotsInAll {
					_, _ = c.slots.take(t.Context(), strconv.Itoa(i))
				}
			},
			"a slot of the host": func(t *testing.T, c *Client) {
				for range slotsPerHost {
					_, _ = c.slots.take(t.Context(), "slow.example.com")
				}
			},
		} {
			synctest.Test(t, func(t *testing.T) {
				c := slow(pipe("", "a"))
				spoil(t, c)
				held, began := len(c.slots.hosts), time.Now()
				_, err := c.Post(t.Context(), "http://slow.example.com/", "text/plain", nil)
				if took := time.Since(began); took != 5*time.Second || !errors.Is(err, context.DeadlineExceeded) || len(c.slots.hosts) != held {
					t.Errorf("%s: after %v, %d hosts for %d: %v", name, took, len(c.slots.hosts), held, err)
				}
			})
		}
	})
	t.Run("who asked gives up before", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			began := time.Now()
			_, err := slow(pipe("", "a")).Get(ctx, "https://slow.example.com/", "application/json")
			if took := time.Since(began); took != time.Second || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("after %v: %v", took, err)
			}
		})
	})
}

func TestSec112_AHundredAtOnce(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ hosts, most int }{
		"of one host":      {1, 4},
		"of three hosts":   {3, 12},
		"of fifty hosts":   {50, 32},
		"of hundred hosts": {100, 32},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var atOnce, peak int // the bubble is asked about when all wait
				gate := make(chan struct{})
				c := New(Config{})
				c.timeout = time.Minute
				var mu sync.Mutex
				c.lookup = func(context.Context, string) ([]netip.Addr, error) {
					mu.Lock()
					atOnce++
					peak = max(peak, atOnce)
					mu.Unlock()
					<-gate
					mu.Lock()
					atOnce--
					mu.Unlock()
					return nil, errNotPublic
				}
				var all sync.WaitGroup
				for i := range 100 {
					all.Go(func() {
						_, err := c.Get(t.Context(), fmt.Sprintf("https://h%d.example.com/", i%test.hosts), "text/plain")
						if !errors.Is(err, errNotPublic) {
							t.Errorf("got %v", err)
						}
					})
				}
				for range 100 {
					synctest.Wait() // all that can have a slot have one
					gate <- struct{}{}
				}
				all.Wait()
				if peak != test.most || len(c.slots.hosts) != 0 || len(c.slots.all) != 0 {
					t.Errorf("%d at once, want %d; %d hosts and %d slots are left", peak, test.most, len(c.slots.hosts), len(c.slots.all))
				}
			})
		})
	}
	t.Run("who waited for nothing leaves nothing", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := newSlots(slotsPerHost, slotsInAll)
			for i := range slotsInAll {
				_, _ = s.take(t.Context(), strconv.Itoa(i))
			}
			ctx, cancel := context.WithCancel(t.Context())
			for range 10 {
				go func() { _, _ = s.take(ctx, "0") }()
			}
			synctest.Wait()
			cancel()
			synctest.Wait()
			if host := s.hosts["0"]; len(s.hosts) != slotsInAll || host.users != 1 || len(host.taken) != 1 {
				t.Errorf("%d hosts; the one has %d users and %d slots", len(s.hosts), host.users, len(host.taken))
			}
		})
	})
	t.Run("a host that is slow holds up no other", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c := slow(func(ctx context.Context, _ *net.Dialer, _ string) (net.Conn, error) { return nil, never(ctx) })
			var all sync.WaitGroup
			for range 100 {
				all.Go(func() { _, _ = c.Get(t.Context(), "https://slow.example.com/", "text/plain") })
			}
			synctest.Wait()
			if release, err := c.slots.take(t.Context(), "app.example.com"); err != nil || len(c.slots.all) != slotsPerHost+1 {
				t.Errorf("%d slots are taken: %v", len(c.slots.all), err)
			} else {
				release()
			}
			all.Wait()
		})
	})
}

func TestSec114_NothingOfOursIsSentAlong(t *testing.T) {
	proxied := make(chan struct{}, 10)
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { proxied <- struct{}{} }))
	t.Cleanup(proxy.Close)
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		t.Setenv(name, proxy.URL)
	}
	o, c := newOutside(t, func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		keys(w, r)
	})
	for range 2 {
		if _, err := c.Get(t.Context(), page, "application/json"); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Post(t.Context(), page, "application/json", []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	allowed := map[string]bool{"Accept": true, "Accept-Encoding": true, "Connection": true, "Content-Length": true, "Content-Type": true, "User-Agent": true}
	for _, r := range o.requests {
		for name, values := range r.Header {
			if !allowed[name] {
				t.Errorf("%s sends %s: %q", r.Method, name, values)
			}
		}
	}
	if len(o.requests) != 4 || len(proxied) != 0 || len(o.dialled) != 4 {
		t.Errorf("%d requests, %d by the proxy, over %d connections", len(o.requests), len(proxied), len(o.dialled))
	}
}

func TestSec114_HeadersOfTheCallersKeepTheirLines(t *testing.T) {
	t.Parallel()
	o, c := newOutside(t, keys)
	_, err := c.Post(t.Context(), page, "text/plain\r\nAuthorization: Bearer x", nil)
	if err != nil || o.requests[0].Header.Get("Authorization") != "" {
		t.Errorf("%v, %v", o.requests[0].Header, err)
	}
}

func TestPost_IsNeverSentTwice(t *testing.T) {
	t.Parallel()
	o, c := newOutside(t, raw(""))
	_, err := c.Post(t.Context(), page, "text/plain", []byte("x"))
	refused(t, err, loop.TemporarilyUnavailable, "breaks off")
	if len(o.requests) != 1 {
		t.Errorf("it was sent %d times", len(o.requests))
	}
}
