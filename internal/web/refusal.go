package web

import (
	"fmt"
	"io"
	"strings"

	"github.com/loop-health/loop/internal/loop"
)

// Refusal is a request that was refused, as its developer needs to hear of it: many
// client libraries show nothing of an error but that there was one.
type Refusal struct {
	Route  string // its pattern; empty where none was reached
	Status int    // of the answer; a redirect or a page can be a refusal too
	Client loop.ClientID
	Error  *loop.Error
	Page   string // of the documentation, on the error's code
}

// WriteTo writes it as text for a terminal, at once, so that two do not mix. It holds
// nothing that a stranger wrote.
func (r Refusal) WriteTo(w io.Writer) (int64, error) {
	var text strings.Builder
	route := r.Route
	if route == unrouted || route == "" {
		route = "an address that nothing answers"
	}
	fmt.Fprintf(&text, "refused  %s: %s (%d)\n", route, r.Error.Code, r.Status)
	fmt.Fprintf(&text, "         %s\n", r.Error.Description)
	if r.Error.Field != "" {
		fmt.Fprintf(&text, "         parameter: %s\n", r.Error.Field)
	}
	if r.Client != "" {
		fmt.Fprintf(&text, "         client: %s\n", r.Client)
	}
	fmt.Fprintf(&text, "         %s\n", r.Page)
	n, err := io.WriteString(w, text.String())
	return int64(n), err
}
