package fetch

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// Bounds of one exchange.
const (
	timeout        = 5 * time.Second // from the wait for a slot to the last byte
	maxBodyBytes   = 64 << 10
	maxHeaderBytes = 16 << 10 // those of informational answers among them
	wireBytes      = 4        // times those of a body that it may have with the lengths of its chunks
)

// userAgent is how we introduce ourselves.
const userAgent = "Connect-with-Loop"

// Config is what a Client needs. Its zero value is the strictest.
type Config struct {
	// AllowedHosts are hosts, with a port for that one or without for each, that
	// may be spoken to in plain http, on any port and at loopback addresses. A
	// name or an address counts as it is written here. MUST be empty, or name
	// nothing but trusted services with their ports, where strangers can register
	// apps: they could have anything sent to what listens there.
	AllowedHosts []string
	// OwnHosts are the platform's own hosts, written likewise, which are never
	// asked: a request that begins another would never end.
	OwnHosts []string
	Roots    *x509.CertPool   // who vouches for servers; nil: whom the system trusts
	Now      func() time.Time // for the validity of certificates; nil: the machine's time

	PerHost, InAll int // exchanges at a time with one host, and of all; 0: 4, and 32
}

// Client asks servers of others. Each exchange has a connection of its own, to
// an address that was judged for it; no redirect, proxy, cookie or credential is
// ever used. So many exchanges go on at a time with one host and in all; others
// wait, and their wait counts.
type Client struct {
	allowed, own []string
	roots        *x509.CertPool
	now          func() time.Time
	slots        *slots

	timeout time.Duration
	lookup  func(ctx context.Context, host string) ([]netip.Addr, error)
	dial    func(ctx context.Context, dialer *net.Dialer, address string) (net.Conn, error)
}

// New makes a Client. It holds nothing that would have to be closed.
func New(c Config) *Client {
	return &Client{
		allowed: c.AllowedHosts, own: c.OwnHosts, roots: c.Roots, now: c.Now,
		slots: newSlots(cmp.Or(c.PerHost, slotsPerHost), cmp.Or(c.InAll, slotsInAll)), timeout: timeout, lookup: lookup, dial: dial,
	}
}

// Get fetches a document: an answer of status 200, at most 64 KiB, not
// compressed, of one of the media types in accept (without parameters), within
// 5 seconds. The error is a *loop.Error: ValidationError as of CheckURL, else
// TemporarilyUnavailable. It holds nothing of the answer but its status, so that
// it may be shown to who registered the URL, and not what lies behind.
func (c *Client) Get(ctx context.Context, url string, accept ...string) ([]byte, error) {
	return c.GetAtMost(ctx, url, maxBodyBytes, accept...)
}

// GetAtMost is Get of a document of at most so many bytes instead of 64 KiB.
func (c *Client) GetAtMost(ctx context.Context, url string, atMost int, accept ...string) (body []byte, err error) {
	header := http.Header{"Accept": {strings.Join(accept, ", ")}}
	err = c.exchange(ctx, http.MethodGet, url, header, nil, atMost, func(answer *http.Response) error {
		body, err = read(answer, atMost, accept)
		return err
	})
	if err != nil {
		return nil, err
	}
	return body, nil
}

// GetFresh is Get, and says for how long the answer's headers let it be used (RFC 9111
// §4.2): 0 where they say nothing, or that it has to be asked for each time.
func (c *Client) GetFresh(ctx context.Context, url string, accept ...string) (body []byte, fresh time.Duration, err error) {
	header := http.Header{"Accept": {strings.Join(accept, ", ")}}
	err = c.exchange(ctx, http.MethodGet, url, header, nil, maxBodyBytes, func(answer *http.Response) error {
		fresh = freshness(answer.Header)
		body, err = read(answer, maxBodyBytes, accept)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return body, fresh, nil
}

// Post sends a body, and gives the status of the answer, whichever it is: what
// counts as delivered is the caller's to say. The answer's body is dropped. The
// error is as of Get; a redirect is one. Nothing is sent a second time.
func (c *Client) Post(ctx context.Context, url, contentType string, body []byte) (status int, err error) {
	return c.PostWith(ctx, url, http.Header{"Content-Type": {contentType}}, body)
}

// PostWith is Post with header fields of the caller's, which no outsider chose.
func (c *Client) PostWith(ctx context.Context, url string, header http.Header, body []byte) (status int, err error) {
	err = c.exchange(ctx, http.MethodPost, url, header, body, maxBodyBytes, func(answer *http.Response) error {
		status = answer.StatusCode
		// Who hangs up in the middle of an answer is taken for a failure by some. It
		// ends with a bound of bytes or the time.
		_, _ = io.Copy(io.Discard, answer.Body)
		return nil
	})
	return status, err
}

// exchange sends one request and hands its answer to use, within the bounds.
func (c *Client) exchange(ctx context.Context, method, text string, header http.Header, body []byte, atMost int, use func(*http.Response) error) error {
	u, err := c.parse(text)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, text, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Close = true // one connection, one exchange
	request.Header = header.Clone()
	request.Header.Set("User-Agent", userAgent)
	request.Header.Set("Accept-Encoding", "identity")

	release, err := c.slots.take(ctx, u.Hostname())
	if err == nil {
		defer release()
		err = c.roundTrip(request, atMost, use)
	}
	if err != nil && ctx.Err() != nil {
		return failed("there was no whole answer in time.").Because(ctx.Err())
	}
	return err
}

// roundTrip ends with its context at the latest: the connection is closed then,
// whatever is going on over it.
func (c *Client) roundTrip(request *http.Request, atMost int, use func(*http.Response) error) error {
	ctx := request.Context()
	conn, err := c.connect(ctx, request.URL)
	if err != nil {
		return err
	}
	closing := func() { _ = conn.Close() }
	defer closing()
	defer context.AfterFunc(ctx, closing)()
	stream, err := c.secure(ctx, conn, request.URL)
	if err != nil {
		return err
	}
	answer, err := ask(stream, request, atMost) //nolint:bodyclose // the connection is closed; Body.Close would read to its end
	if err != nil {
		// No cause: net/http quotes the line that it could not read.
		return failed("its server's answer breaks off, is not HTTP, or has headers of more than 16 KiB.")
	}
	if answer.StatusCode < 200 || answer.StatusCode >= 300 && answer.StatusCode < 400 {
		return failed("its server answers with status %d, and no redirect is followed. Register the URL that answers itself.", answer.StatusCode)
	}
	return use(answer)
}

// ask sends the request and reads the head of its answer, in HTTP/1.1. An
// http.Transport would dial and read on behind the request's back, beyond its
// end, and write into the log what a server sends unasked.
func ask(conn net.Conn, request *http.Request, atMost int) (*http.Response, error) {
	if err := request.Write(conn); err != nil {
		return nil, err
	}
	limited := &io.LimitedReader{R: conn, N: maxHeaderBytes}
	reader := bufio.NewReader(limited)
	for {
		answer, err := http.ReadResponse(reader, request)
		if err != nil {
			return nil, err
		}
		if answer.StatusCode/100 != 1 || answer.StatusCode == http.StatusSwitchingProtocols {
			limited.N = wireBytes * int64(atMost)
			return answer, nil
		}
	}
}

// read judges an answer by its head, then reads it.
func read(answer *http.Response, atMost int, accept []string) ([]byte, error) {
	kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	switch {
	case answer.StatusCode != http.StatusOK:
		return nil, failed("its server answers with status %d instead of 200.", answer.StatusCode)
	case !slices.Contains(accept, kind):
		return nil, failed("the Content-Type of the answer must be %s.", strings.Join(accept, " or "))
	case answer.Header.Get("Content-Encoding") != "":
		return nil, failed("the answer is compressed. Send it without a Content-Encoding.")
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, int64(atMost)+1))
	switch {
	case len(body) > atMost:
		return nil, failed("the answer is longer than %d KiB.", atMost>>10)
	case err != nil:
		return nil, failed("the answer breaks off.") // no cause, as in roundTrip
	}
	return body, nil
}

// failed is what is returned of an exchange that did not work out.
func failed(format string, args ...any) *loop.Error {
	return loop.Errorf(loop.TemporarilyUnavailable, "This URL does not work: "+format, args...)
}
