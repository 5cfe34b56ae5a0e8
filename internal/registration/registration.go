// Package registration is how apps come to be known: a client is created,
// changed, given a new secret, disabled and enabled again, by its developer in
// the portal or by an operator on the command line, under the same rules.
//
// What a client is, and what makes one valid, is in package loop.
package registration

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/oauth/clientjwt"
	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/webhook"
)

// Store is what registration needs to be kept.
type Store interface {
	// Client reads a client with its secrets; loop.ErrNotFound where there is none.
	// All callers share it: whoever wants to alter it takes a Clone.
	Client(ctx context.Context, id loop.ClientID) (*loop.Client, error)
	// Clients lists every client, newest first.
	Clients(ctx context.Context) ([]*loop.Client, error)
	// ClientsOf lists a developer's clients, newest first.
	ClientsOf(ctx context.Context, owner loop.MemberID) ([]*loop.Client, error)
	// AddClient inserts a client with its record, on the terms: ErrSentBefore,
	// ErrTooMany. All of it is one transaction.
	AddClient(ctx context.Context, c *loop.Client, on Terms, rec audit.Record) error
	// ChangeClient writes what change alters with what that revokes and its
	// records, in one transaction, on the terms: ErrSentBefore. An error writes nothing.
	ChangeClient(ctx context.Context, id loop.ClientID, on Terms, change func(*loop.Client) ([]loop.Revocation, []audit.Record, error)) error
	// DeleteClient deletes a client with what is kept of it, and writes revocation and
	// record, in one transaction; loop.ErrNotFound where there is none.
	DeleteClient(ctx context.Context, id loop.ClientID, revocation loop.Revocation, rec audit.Record) error
	// EndGivenTo ends the grants and chains of a client that is gone, many
	// transactions long; what has ended stays as it is.
	EndGivenTo(ctx context.Context, id loop.ClientID, at time.Time) error
	// UnusedClients gives clients that registered themselves at or before a moment and
	// have no live grant, the earliest first.
	UnusedClients(ctx context.Context, before time.Time, atMost int) ([]loop.ClientID, error)
	// SentForm reads a form that did its act; loop.ErrNotFound where none did.
	SentForm(ctx context.Context, hash [32]byte) (*Form, error)
	// ClientRecords reads the newest records of a client's registration, newest
	// first, at most so many.
	ClientRecords(ctx context.Context, id loop.ClientID, atMost int) ([]audit.Record, error)
	// OwnerRecords reads those of all clients of an owner since a moment, likewise.
	OwnerRecords(ctx context.Context, owner loop.MemberID, since time.Time, atMost int) ([]audit.Record, error)
}

// Outgoing says where the platform may send requests.
type Outgoing interface {
	// CheckURL is a ValidationError for an address that would not be fetched.
	CheckURL(text string) error
}

// Clients is the rules of registration with what they need.
type Clients struct {
	Store    Store
	World    loop.World
	Outgoing Outgoing
	Office   *mail.Office // writes to developers; nil: nobody does
	Events   *webhook.Composer

	origins origins
}

// New is a client with the defaults of every field that has one.
func New() *loop.Client {
	return &loop.Client{
		Type:           loop.Confidential,
		AllowedScopes:  loop.NewScopes(loop.ScopeOpenID, loop.ScopeProfile, loop.ScopeReadBiomarkers),
		AccessTokenTTL: loop.DefaultAccessTokenTTL,
		Mode:           loop.Development,
		Enabled:        true,
		Protocol: loop.Protocol{
			GrantTypes:       []loop.GrantType{loop.GrantAuthorizationCode, loop.GrantRefreshToken},
			Profile:          loop.ProfileOAuth,
			IDTokenAlgorithm: loop.ES256,
		},
	}
}

// Create registers a client and gives it an id, where it has none yet, and a secret,
// where it authenticates with one: shown now and never again. All faults are
// returned at once, joined.
func (r *Clients) Create(ctx context.Context, c *loop.Client, by audit.Actor) (credential.Secret, error) {
	return r.create(ctx, c, act{by: by})
}

func (r *Clients) create(ctx context.Context, c *loop.Client, a act) (credential.Secret, error) {
	c.SetDefaults()
	if err := r.validate(c); err != nil {
		return credential.Secret{}, err
	}
	defer r.origins.forget()
	now := r.World.Now()
	c.CreatedAt, c.UpdatedAt, c.Logo = now, now, loop.Logo{URI: c.Logo.URI}
	if c.ID == "" {
		c.ID = loop.NewClientID(r.World)
	}
	var secret credential.Secret
	if c.Protocol.AuthMethod.BySecret() {
		secret = a.newSecret(r.World)
		c.Secrets = []loop.ClientSecret{{Hash: secret.Hash(), CreatedAt: now}}
	}
	rec := audit.NewRecord(ctx, now, audit.ClientCreated, a.by)
	rec.Client = c.ID
	terms := a.terms(c.ID, now)
	terms.Messages = func(c *loop.Client) []outbox.Message { return logoMessages(c, loop.Logo{}, a.by, now) }
	return secret, r.Store.AddClient(ctx, c, terms, rec)
}

// Update changes a client. What it may no longer see is ended at once: a lost
// scope, agreement or production mode revokes the tokens issued before.
func (r *Clients) Update(ctx context.Context, id loop.ClientID, by audit.Actor, alter func(*loop.Client)) (*loop.Client, error) {
	return r.update(ctx, id, act{by: by}, alter)
}

func (r *Clients) update(ctx context.Context, id loop.ClientID, a act, alter func(*loop.Client)) (*loop.Client, error) {
	return r.change(ctx, id, a, audit.ClientUpdated, func(c *loop.Client) error {
		kind := c.Type
		alter(c)
		if c.Type != kind {
			return loop.Errorf(loop.ValidationError, "The type of a client is fixed. Register a new client.").About("client_type")
		}
		c.SetDefaults()
		return r.validate(c)
	})
}

// Approve verifies a client as the review shows it. ValidationError where its
// developer has changed it since, or where there is nothing to review.
func (r *Clients) Approve(ctx context.Context, id loop.ClientID, review string, by audit.Actor) (*loop.Client, error) {
	return r.change(ctx, id, act{by: by}, audit.ClientUpdated, func(c *loop.Client) error {
		switch c.Review() {
		case "":
			return loop.Errorf(loop.ValidationError, "There is nothing to review: nobody has changed what Loop verified of this app.").About("verified")
		case review:
			c.Verified = true
			return nil
		}
		return loop.Errorf(loop.ValidationError, "The app was changed after this review. Look at it again, then approve what you see.").About("verified")
	})
}

// Faults are all that is wrong with a client, each a ValidationError of its field.
func (r *Clients) Faults(c *loop.Client) []error {
	if joined, ok := r.validate(c).(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return nil
}

// validate holds a client against every rule, those of its keys and of the
// addresses that we would fetch among them.
func (r *Clients) validate(c *loop.Client) error {
	faults := c.Validate()
	if c.Protocol.KeySet != nil {
		if err := CheckKeySet(c.Protocol.KeySet); err != nil {
			faults = append(faults, loop.Errorf(loop.ValidationError, "The key set (jwks) is refused: %w.", err).About("jwks"))
		}
	}
	for field, address := range map[string]string{"logo_uri": c.Logo.URI, "jwks_uri": c.Protocol.KeySetURI, "backchannel_logout_uri": c.Protocol.BackchannelLogoutURI} {
		if address == "" || c.FirstParty && field == "backchannel_logout_uri" { // Loop's own may be at one of its own hosts
			continue
		}
		if err := r.Outgoing.CheckURL(address); err != nil {
			faults = append(faults, loop.AsError(err).About(field))
		}
	}
	for _, h := range c.Webhooks {
		if err := r.Outgoing.CheckURL(h.URL); err != nil {
			faults = append(faults, loop.AsError(err).About("url"))
		}
	}
	return errors.Join(faults...)
}

// CheckKeySet says what is wrong with a client's key set: it is not one, or holds a key
// that is not public.
func CheckKeySet(text []byte) error {
	_, err := clientjwt.ParseKeySet(text)
	return err
}

// SetEnabled disables a client, which ends every token that it holds, or enables
// it again.
func (r *Clients) SetEnabled(ctx context.Context, id loop.ClientID, by audit.Actor, enabled bool) (*loop.Client, error) {
	return r.setEnabled(ctx, id, act{by: by}, enabled)
}

func (r *Clients) setEnabled(ctx context.Context, id loop.ClientID, a act, enabled bool) (*loop.Client, error) {
	if !enabled && id.FromDocument() {
		if err := r.know(ctx, id, a.by); err != nil {
			return nil, err
		}
	}
	event := audit.ClientDisabled
	if enabled {
		event = audit.ClientEnabled
	}
	return r.change(ctx, id, a, event, func(c *loop.Client) error {
		c.Enabled = enabled
		return nil
	})
}

// know makes a row of a client that nobody has allowed yet, so that an operator can
// disable it before anybody does. Its document is not asked.
func (r *Clients) know(ctx context.Context, id loop.ClientID, by audit.Actor) error {
	if _, err := r.Store.Client(ctx, id); !errors.Is(err, loop.ErrNotFound) {
		return err
	}
	now := r.World.Now()
	c := New()
	c.ID, c.Name, c.CreatedAt, c.UpdatedAt = id, id.DocumentHost(), now, now
	c.Type, c.Protocol.AuthMethod, c.AllowedScopes, c.RefreshGrace = loop.Public, loop.AuthNone, everyScope(), loop.AgentRefreshGrace
	c.Registration.By = loop.RegisteredByDocument
	rec := audit.NewRecord(ctx, now, audit.ClientCreated, by)
	rec.Client = id
	return r.Store.AddClient(ctx, c, Terms{}, rec)
}

// RotateSecret gives a client that has a secret a new one; the newest before it
// works for another 24 hours, any older one ends now.
func (r *Clients) RotateSecret(ctx context.Context, id loop.ClientID, by audit.Actor) (credential.Secret, error) {
	return r.rotateSecret(ctx, id, act{by: by})
}

func (r *Clients) rotateSecret(ctx context.Context, id loop.ClientID, a act) (credential.Secret, error) {
	secret := a.newSecret(r.World)
	_, err := r.change(ctx, id, a, audit.ClientSecretMade, func(c *loop.Client) error {
		if !c.Protocol.AuthMethod.BySecret() {
			return loop.Errorf(loop.ValidationError, "This client has no secret: its authentication method is %s.", c.Protocol.AuthMethod).About("token_endpoint_auth_method")
		}
		now := r.World.Now()
		next := []loop.ClientSecret{{Hash: secret.Hash(), CreatedAt: now}}
		if len(c.Secrets) > 0 {
			newest := slices.MaxFunc(c.Secrets, func(a, b loop.ClientSecret) int { return a.CreatedAt.Compare(b.CreatedAt) })
			newest.ExpiresAt = now.Add(loop.SecretOverlap)
			next = append(next, newest)
		}
		c.Secrets = next
		return nil
	})
	return secret, err
}

// SetSecrets makes the given secrets a client's only ones, where they are not
// already: for Loop's own portal, whose secrets come from the key ring.
func (r *Clients) SetSecrets(ctx context.Context, id loop.ClientID, secrets []credential.Secret, by audit.Actor) error {
	c, err := r.Store.Client(ctx, id)
	if err != nil {
		return err
	}
	now := r.World.Now()
	same := len(c.Secrets) == len(secrets)
	next := make([]loop.ClientSecret, len(secrets))
	for i, secret := range secrets {
		next[i] = loop.ClientSecret{Hash: secret.Hash(), CreatedAt: now}
		same = same && c.HoldsSecret(secret.Hash(), now)
	}
	if same {
		return nil
	}
	_, err = r.change(ctx, id, act{by: by}, audit.ClientSecretMade, func(c *loop.Client) error {
		c.Secrets = next
		return nil
	})
	return err
}

func (r *Clients) change(ctx context.Context, id loop.ClientID, a act, event audit.Event, alter func(*loop.Client) error) (*loop.Client, error) {
	defer r.origins.forget()
	now := r.World.Now()
	var (
		changed *loop.Client
		had     loop.Logo
	)
	terms := a.terms(id, now)
	terms.Messages = func(c *loop.Client) []outbox.Message {
		messages := logoMessages(c, had, a.by, now)
		if a.messages != nil {
			messages = append(messages, a.messages(c)...)
		}
		return messages
	}
	err := r.Store.ChangeClient(ctx, id, terms, func(c *loop.Client) ([]loop.Revocation, []audit.Record, error) {
		before := c.Clone()
		if err := alter(c); err != nil {
			return nil, nil, err
		}
		if c.Logo.URI != before.Logo.URI {
			c.Logo = loop.Logo{URI: c.Logo.URI} // what was fetched came from elsewhere
		}
		c.UpdatedAt = now
		c.NoteChange(before, a.byDeveloper || a.by.Kind == audit.ByMember, now)
		changed, had = c, before.Logo
		var revocations []loop.Revocation
		if lost(before, c) {
			revocations = append(revocations, oauth.NewRevocation(r.World, loop.RevokeClient, string(c.ID)))
		}
		rec := audit.NewRecord(ctx, now, event, a.by)
		rec.Client, rec.Detail = c.ID, difference(before, c)
		return revocations, []audit.Record{rec}, nil
	})
	if errors.Is(err, loop.ErrNotFound) {
		return nil, errNoClient
	}
	return changed, err
}

// lost reports whether a change takes something away from tokens that the
// client may hold.
func lost(before, after *loop.Client) bool {
	sawEverybody := before.Mode == loop.Production && before.BAA != nil
	seesEverybody := after.Mode == loop.Production && after.BAA != nil
	return before.Enabled && !after.Enabled ||
		len(before.AllowedScopes.Without(after.AllowedScopes)) > 0 ||
		slices.ContainsFunc(before.Protocol.ServiceScopes, func(name string) bool { return !slices.Contains(after.Protocol.ServiceScopes, name) }) ||
		sawEverybody && !seesEverybody ||
		!bound(before) && bound(after)
}

// bound reports whether every token of the client is bound to what it holds.
func bound(c *loop.Client) bool { return c.Protocol.DPoPBound || c.Protocol.CertificateBound }
