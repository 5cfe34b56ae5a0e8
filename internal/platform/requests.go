package platform

import (
	"context"
	"strings"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/requestlog"
	"github.com/loop-health/loop/internal/web"
)

// openRequestLog makes what takes in the requests of apps. Whoever works on identity's
// clients knows which of them exist.
func (p *Platform) openRequestLog(context.Context) error {
	p.requests.Log = p.config.Log
	if p.store == nil {
		p.requests.Sink = p.results
		return nil
	}
	p.requests.Sink = p.store
	p.requests.Registered = func(ctx context.Context, id loop.ClientID) bool {
		_, err := p.store.Client(ctx, id)
		return err == nil
	}
	return nil
}

// exchanged takes in what a host answered.
func (p *Platform) exchanged(host string) func(web.Exchange) {
	return func(e web.Exchange) {
		if p.config.Exchanged != nil {
			p.config.Exchanged(e)
		}
		client := e.Client
		if client == "" {
			client = loop.ClientID(e.Parameters.Get("client_id"))
		}
		if client != portalID && client != playgroundID && client.Valid() && ofInterest(e) {
			p.requests.Add(client, newEntry(host, e))
		}
	}
}

// ofInterest reports whether an app's developer sees the request: what the app itself
// sent, or led a browser to, and whatever went wrong.
func ofInterest(e web.Exchange) bool {
	_, path, _ := strings.Cut(e.Route, " ")
	return e.Error != nil || strings.HasPrefix(path, "/v1/") || strings.HasPrefix(path, "/fhir") || strings.HasPrefix(path, "/mcp")
}

func newEntry(host string, e web.Exchange) requestlog.Entry {
	entry := requestlog.Entry{
		Request: e.Request, At: e.At, Host: host, Route: e.Route, Status: e.Status, Took: e.Took,
		Claimed: !e.Proven, Refresh: e.Parameters.Get("grant_type") == string(loop.GrantRefreshToken),
	}
	if e.Error != nil {
		entry.Error, entry.Fault, entry.Field = e.Error.Code, e.Error.Description, e.Error.Field
		entry.Scheme = e.Scheme
		entry.Received = requestlog.Received(e.Parameters)
	}
	return entry
}
