package registration

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/registration/picture"
)

// Pictures keeps our copies of logos, for all processes.
type Pictures interface {
	// PutPicture keeps a picture of a client beside the one that members are shown
	// now, if any; earlier ones of the client are deleted.
	PutPicture(ctx context.Context, client loop.ClientID, shown, hash string, png []byte) error
	// Picture reads a client's picture; loop.ErrNotFound where there is none with the
	// hash.
	Picture(ctx context.Context, client loop.ClientID, hash string) ([]byte, error)
}

// Fetcher fetches documents of others.
type Fetcher interface {
	// GetAtMost fetches a document of one of some media types and at most so many
	// bytes. An error says to who registered the address why it can't be.
	GetAtMost(ctx context.Context, url string, atMost int, accept ...string) ([]byte, error)
}

// Logos fetches the logos of apps (outbox.Deliverer): each once, when its address was
// registered, and again when that changes.
type Logos struct {
	Clients  *Clients
	Pictures Pictures
	Fetcher  Fetcher
}

// logoKind is the kind of messages that have a logo fetched.
const logoKind outbox.Kind = "logo"

// maxLogoBytes bounds what is fetched.
const maxLogoBytes = 1 << 20

// wantedLogo is what such a message says.
type wantedLogo struct {
	Client      loop.ClientID `json:"client"`
	URI         string        `json:"uri"`
	ByDeveloper bool          `json:"by_developer"` // registered it
}

// logoMessages has a client's logo fetched where its address is new.
func logoMessages(c *loop.Client, before loop.Logo, by audit.Actor, now time.Time) []outbox.Message {
	if c.Logo.URI == "" || c.Logo.URI == before.URI {
		return nil
	}
	address, err := url.Parse(c.Logo.URI)
	if err != nil {
		return nil // validate lets no such address through
	}
	payload, _ := json.Marshal(wantedLogo{c.ID, c.Logo.URI, by.Kind == audit.ByMember}) // texts and a truth value: it can't fail
	return []outbox.Message{{
		ID: "logo/" + string(c.ID) + "/" + now.UTC().Format(time.RFC3339Nano), Kind: logoKind, Destination: address.Host, OrderKey: string(c.ID),
		Payload: payload, DueAt: now,
	}}
}

// Kind is the kind of messages that have a logo fetched (outbox.Deliverer).
func (*Logos) Kind() outbox.Kind { return logoKind }

// Policy is how logos are fetched (outbox.Deliverer): few at a time, since a picture
// takes memory.
func (*Logos) Policy() outbox.Policy {
	return outbox.Policy{
		Retries: []time.Duration{10 * time.Second, time.Minute, 10 * time.Minute, time.Hour},
		Timeout: 20 * time.Second, AtOnce: 2, PerDestination: 1,
	}
}

// Deliver fetches a logo and has members shown our copy (outbox.Deliverer). What can't
// be a logo is not asked for again; its developer reads why.
func (l *Logos) Deliver(ctx context.Context, delivery outbox.Delivery) error {
	var wanted wantedLogo
	if err := json.Unmarshal(delivery.Payload, &wanted); err != nil {
		return fmt.Errorf("reading which logo is wanted: %w", err)
	}
	client, err := l.Clients.Store.Client(ctx, wanted.Client)
	if errors.Is(err, loop.ErrNotFound) || err == nil && (client.Logo.URI != wanted.URI || client.Logo.Picture != "") {
		return outbox.ErrObsolete
	}
	if err != nil {
		return err
	}
	file, err := l.Fetcher.GetAtMost(ctx, wanted.URI, maxLogoBytes, picture.Types()...)
	if err != nil {
		return errors.Join(err, l.Clients.setLogo(ctx, wanted, loop.Logo{URI: wanted.URI, Fault: loop.AsError(err).Description}))
	}
	png, err := picture.Encode(file)
	if err != nil {
		return l.Clients.setLogo(ctx, wanted, loop.Logo{URI: wanted.URI, Fault: "The logo is not shown: " + err.Error() + "."})
	}
	sum := sha256.Sum256(png)
	logo := loop.Logo{URI: wanted.URI, Picture: hex.EncodeToString(sum[:16])}
	if err := l.Pictures.PutPicture(ctx, wanted.Client, client.Logo.Picture, logo.Picture, png); err != nil {
		return err
	}
	return l.Clients.setLogo(ctx, wanted, logo)
}

// Records is nothing (outbox.Deliverer): the client's own record says what became of
// its logo.
func (*Logos) Records(outbox.Delivery) []audit.Record { return nil }

// setLogo notes what became of a client's logo, where it is wanted still. A picture
// that a developer brought, of an app that was verified before it came, has to be
// looked at as any other change of what members are shown.
func (r *Clients) setLogo(ctx context.Context, wanted wantedLogo, logo loop.Logo) error {
	a := act{by: audit.Actor{Kind: audit.BySystem}, byDeveloper: wanted.ByDeveloper}
	_, err := r.change(ctx, wanted.Client, a, audit.ClientUpdated, func(c *loop.Client) error {
		if c.Logo.URI != wanted.URI || c.Logo == logo {
			return errNothingToDo
		}
		c.Logo = logo
		return nil
	})
	if errors.Is(err, errNothingToDo) {
		return nil
	}
	return err
}

// errNothingToDo ends a change that would change nothing.
var errNothingToDo = errors.New("there is nothing to change")
