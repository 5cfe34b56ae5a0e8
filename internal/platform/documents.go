package platform

import (
	"context"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/limit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/registration"
)

// ledger is the store, with the clients that describe themselves in a document.
type ledger struct {
	oauth.Ledger
	documents *registration.Documents
}

func (p *Platform) ledger() oauth.Ledger {
	return ledger{p.store, &registration.Documents{Clients: p.Clients, Fetcher: p.outgoing, Hosts: p.config.ClientDocuments, Allow: p.allowDocument}}
}

// Client finds a client, by its document where its id is the address of one.
func (l ledger) Client(ctx context.Context, id loop.ClientID) (*loop.Client, error) {
	return l.documents.Client(ctx, id)
}

// allowDocument counts the fetch of a document of which nobody knows whether there is a
// client behind it: by network, as everything that a stranger makes us do.
func (p *Platform) allowDocument(ctx context.Context) error {
	v := p.limits.Allow(limit.Documents, limit.ByAddress(audit.OriginOf(ctx).Address), 0)
	if v.Allowed {
		return nil
	}
	e := loop.Errorf(loop.RateLimited, "Too many client metadata documents were asked for from this network: the limit is %d a minute. Wait, then go on.", v.Limit)
	e.RetryAfter = v.RetryAfter
	return e
}
