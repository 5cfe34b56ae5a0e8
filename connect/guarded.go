package connect

import (
	"errors"
	"fmt"
	"io"
	"net/http"
)

// guarded is the app's HTTP client for requests that carry secrets: it follows no
// redirect, since a secret is for whom it was meant alone, and reads no answer without
// end.
func guarded(client *http.Client, maxAnswer int64) *http.Client {
	own := *client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	next := own.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	own.Transport = bounded{next, maxAnswer}
	return &own
}

// bounded bounds the answers of a RoundTripper, as they are read: unpacked.
type bounded struct {
	next http.RoundTripper
	max  int64 // bytes
}

// Format shows nothing: what is within may be the app's.
func (b bounded) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "bounded") }

// RoundTrip sends a request.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.next.RoundTrip(r)
	if err == nil {
		response.Body = &boundedBody{response.Body, b.max}
	}
	return response, err
}

// errTooLong says that an answer has more bytes than Config.MaxAnswer.
var errTooLong = errors.New("the answer is longer than MaxAnswer allows")

type boundedBody struct {
	io.ReadCloser
	left int64 // bytes that may still come
}

// Read reads on; errTooLong where the bound is passed.
func (b *boundedBody) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1] // one more than allowed shows that there is more
	}
	n, err := b.ReadCloser.Read(p)
	if int64(n) > b.left {
		n, err = int(b.left), errTooLong
	}
	b.left -= int64(n)
	return n, err
}
