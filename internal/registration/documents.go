package registration

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/outbox"
)

// DocumentFetcher fetches documents of others.
type DocumentFetcher interface {
	// GetFresh fetches a document of one of some media types, and says how long it may
	// be used without asking again. An error says to who wrote it why it can't be.
	GetFresh(ctx context.Context, url string, accept ...string) (body []byte, fresh time.Duration, err error)
}

// DocumentHosts says whose metadata documents are taken.
type DocumentHosts struct {
	All   bool
	Names []string // without All: the hosts, in lower case, without ports
}

// Any reports whether documents are taken at all.
func (h DocumentHosts) Any() bool { return h.All || len(h.Names) > 0 }

// Documents finds clients, those among them whose id is the address of the document in
// which they describe themselves (draft-ietf-oauth-client-id-metadata-document). Such a
// document is fetched when its client is met; the client becomes a row with its first
// grant, so that what strangers make up leaves nothing. From then on the row follows
// the document, and stands in for it while that can't be read. Safe for concurrent use.
type Documents struct {
	Clients *Clients
	Fetcher DocumentFetcher
	Hosts   DocumentHosts
	// Allow counts a fetch for a client that nobody has allowed yet; an error refuses it.
	Allow func(ctx context.Context) error

	memory documentMemory
}

// Client finds a client; loop.ErrNotFound where none has an id that we made, and
// InvalidClient where a document makes none. All callers share what comes back.
func (d *Documents) Client(ctx context.Context, id loop.ClientID) (*loop.Client, error) {
	stored, err := d.Clients.Store.Client(ctx, id)
	if !id.FromDocument() || err != nil && !errors.Is(err, loop.ErrNotFound) {
		return stored, err
	}
	if err := d.taken(id); err != nil {
		return nil, err
	}
	if stored != nil && !stored.Enabled {
		return stored, nil
	}
	read, err := d.read(ctx, id, stored)
	switch {
	case err != nil && stored != nil && !stored.Registration.FetchedAt.IsZero():
		return stored, nil
	case err != nil:
		return nil, err
	case stored == nil:
		return read, nil
	}
	return d.follow(ctx, stored, read)
}

// taken refuses a document of a host whose documents the operator does not take.
func (d *Documents) taken(id loop.ClientID) error {
	host, _, _ := strings.Cut(id.DocumentHost(), ":")
	if u, err := url.Parse(string(id)); err == nil {
		host = u.Hostname()
	}
	if d.Hosts.All || slices.Contains(d.Hosts.Names, host) {
		return nil
	}
	return loop.Errorf(loop.InvalidClient, "This platform takes no client metadata document from %s. Its operator names the hosts; an app can be registered in the developer portal instead.", host).About("client_id")
}

// read gives the client as its document describes it: from memory while that is fresh,
// else fetched anew.
func (d *Documents) read(ctx context.Context, id loop.ClientID, stored *loop.Client) (*loop.Client, error) {
	return d.memory.get(ctx, id, d.Clients.World, func() (*loop.Client, time.Duration, int, error) {
		if stored == nil && d.Allow != nil {
			if err := d.Allow(ctx); err != nil {
				return nil, 0, 0, err
			}
		}
		// Whoever asks may hang up; others wait for the same document.
		body, fresh, err := d.Fetcher.GetFresh(context.WithoutCancel(ctx), string(id), "application/json")
		if err != nil {
			return nil, 0, 0, documentFault(id, err)
		}
		c, err := d.describe(id, body)
		return c, fresh, len(body), err
	})
}

// describe makes a client of its document, held against every rule of registration.
func (d *Documents) describe(id loop.ClientID, body []byte) (*loop.Client, error) {
	m, faults := readMetadata(body)
	if m == nil {
		return nil, documentFault(id, faults...)
	}
	if m.ClientID != id {
		faults = append(faults, loop.Errorf(loop.ValidationError, "It must be the document's own address, character by character.").About("client_id"))
	}
	c, more := m.client()
	now := d.Clients.World.Now().Truncate(time.Microsecond)
	c.ID, c.CreatedAt, c.UpdatedAt = id, now, now
	c.Registration = loop.Registration{By: loop.RegisteredByDocument, FetchedAt: now}
	if len(m.RedirectURIs) == 0 {
		more = append(more, loop.Errorf(loop.ValidationError, "At least one is needed.").About("redirect_uris"))
	}
	if faults = slices.Concat(faults, more, d.Clients.Faults(c)); len(faults) > 0 {
		return nil, documentFault(id, faults...)
	}
	return c, nil
}

// documentFault says to who wrote a document what is wrong with it.
func documentFault(id loop.ClientID, faults ...error) error {
	var says []string
	for _, fault := range faults {
		e := loop.AsError(fault)
		text := e.Description
		if e.Field != "" {
			text = e.Field + ": " + text
		}
		if !slices.Contains(says, text) {
			says = append(says, text)
		}
	}
	return loop.Errorf(loop.InvalidClient, "The client metadata document of %s is refused. %s", id.DocumentHost(), strings.Join(says, " ")).About("client_id").Because(errors.Join(faults...))
}

// follow brings a row to what its document says now. Of two processes the one that read
// the document last is right.
func (d *Documents) follow(ctx context.Context, stored, read *loop.Client) (*loop.Client, error) {
	if !needsFollowing(stored, read) {
		return stored, nil
	}
	now := d.Clients.World.Now()
	defer d.Clients.origins.forget()
	var had loop.Logo
	by := audit.Actor{Kind: audit.BySystem}
	terms := Terms{Messages: func(c *loop.Client) []outbox.Message { return logoMessages(c, had, by, now) }}
	err := d.Clients.Store.ChangeClient(ctx, stored.ID, terms, func(c *loop.Client) ([]loop.Revocation, []audit.Record, error) {
		before := c.Clone()
		had = before.Logo
		if !needsFollowing(c, read) {
			return nil, nil, nil
		}
		c.Registration.FetchedAt = read.Registration.FetchedAt
		describedAs(c, read)
		fields := difference(before, c)
		if fields == nil {
			return nil, nil, nil
		}
		c.UpdatedAt = now
		c.NoteChange(before, false, now)
		rec := audit.NewRecord(ctx, now, audit.ClientUpdated, by)
		rec.Client, rec.Detail = c.ID, fields
		return nil, []audit.Record{rec}, nil
	})
	if err != nil {
		return nil, err
	}
	return d.Clients.Store.Client(ctx, stored.ID)
}

// needsFollowing reports whether a row is behind what was read of its document.
func needsFollowing(stored, read *loop.Client) bool {
	at := read.Registration.FetchedAt
	if !at.After(stored.Registration.FetchedAt) {
		return false
	}
	described := stored.Clone()
	describedAs(described, read)
	return !at.Before(stored.Registration.FetchedAt.Add(loop.RefetchNoted)) || len(changedFields(stored, described)) > 0
}

// describedAs has a row say what the document says; what operators decided stays.
func describedAs(c, read *loop.Client) {
	c.Name, c.Type, c.RedirectURIs = read.Name, read.Type, slices.Clone(read.RedirectURIs)
	c.HomePage, c.PolicyPage, c.TermsPage = read.HomePage, read.PolicyPage, read.TermsPage
	if c.Logo.URI != read.Logo.URI {
		c.Logo = read.Logo
	}
	limits := c.Protocol.RateLimits
	c.Protocol = read.Clone().Protocol
	c.Protocol.RateLimits = limits
}
