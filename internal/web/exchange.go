package web

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// Exchange is a request and what became of it, for those who look after an app.
type Exchange struct {
	Request loop.RequestID
	At      time.Time
	Method  string
	Route   string // its pattern; empty where none was reached
	Status  int    // of the answer; 0 where the connection was cut off instead
	Took    time.Duration
	Client  loop.ClientID // empty: not known
	Proven  bool          // the client proved that the request is its own
	Scheme  string        // of the Authorization header; empty: there was none
	Error   *loop.Error   // nil: none; a redirect or a page can carry one too
	Page    string        // of the documentation, on the error's code
	// Parameters are what was sent, secrets among them; nil where nobody read any.
	// They MUST NOT be stored or shown as they are.
	Parameters url.Values
}

// WriteRefusal writes what a request was refused for as text for a terminal, at once,
// so that two do not mix: many client libraries show nothing of an error but that
// there was one. It holds nothing that a stranger wrote.
func (e Exchange) WriteRefusal(w io.Writer) error {
	var text strings.Builder
	route := e.Route
	if route == unrouted || route == "" {
		route = "an address that nothing answers"
	}
	fmt.Fprintf(&text, "refused  %s: %s (%d)\n", route, e.Error.Code, e.Status)
	fmt.Fprintf(&text, "         %s\n", e.Error.Description)
	if e.Error.Field != "" {
		fmt.Fprintf(&text, "         parameter: %s\n", e.Error.Field)
	}
	if e.Client != "" {
		fmt.Fprintf(&text, "         client: %s\n", e.Client)
	}
	fmt.Fprintf(&text, "         %s\n", e.Page)
	_, err := io.WriteString(w, text.String())
	return err
}
