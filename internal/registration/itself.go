package registration

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// Registered is the answer to a client that registered itself (RFC 7591 §3.2.1). A
// member that has nothing to say is absent: some programs take a null for a secret.
type Registered struct {
	ID            loop.ClientID      `json:"client_id"`
	IssuedAt      int64              `json:"client_id_issued_at"`
	Token         string             `json:"registration_access_token"`
	Address       string             `json:"registration_client_uri"`
	Name          string             `json:"client_name"`
	RedirectURIs  []loop.RedirectURI `json:"redirect_uris"`
	AuthMethod    loop.AuthMethod    `json:"token_endpoint_auth_method"`
	GrantTypes    []loop.GrantType   `json:"grant_types"`
	ResponseTypes []string           `json:"response_types"`
	Scope         string             `json:"scope,omitempty"` // as it was sent: it is no ceiling
	HomePage      string             `json:"client_uri,omitempty"`
	Logo          string             `json:"logo_uri,omitempty"`
	PolicyPage    string             `json:"policy_uri,omitempty"`
	TermsPage     string             `json:"tos_uri,omitempty"`
	KeySet        json.RawMessage    `json:"jwks,omitempty"`
	KeySetURI     string             `json:"jwks_uri,omitempty"`
	Software      string             `json:"software_id,omitempty"`
}

// RegisterItself registers a client from the metadata that it sent (RFC 7591 §3.1);
// address is where it reads and deletes what it registered, in front of its id.
// InvalidRedirectURI or InvalidClientMetadata with every fault by its field.
func (r *Clients) RegisterItself(ctx context.Context, body []byte, address string) (*Registered, error) {
	m, faults := readMetadata(body)
	if m == nil {
		return nil, selfRegistrationFault(faults)
	}
	if m.Name == "" {
		m.Name = unnamed(m.RedirectURIs)
	}
	c, more := m.client()
	token := credential.NewSecret(r.World, credential.RegistrationTokenPrefix)
	hash := token.Hash()
	c.Registration = loop.Registration{By: loop.RegisteredByItself, Token: hash[:]}
	if faults = slices.Concat(faults, more, r.Faults(c)); len(faults) > 0 {
		return nil, selfRegistrationFault(faults)
	}
	if _, err := r.Create(ctx, c, audit.Actor{Kind: audit.ByStranger}); err != nil {
		return nil, err
	}
	answer := registrationOf(c, token.Reveal(), address)
	answer.Scope = m.Scope
	return answer, nil
}

// unnamed is how members read a client that says no name.
func unnamed(uris []loop.RedirectURI) string {
	if len(uris) == 0 {
		return "App"
	}
	return "App at " + uris[0].Host()
}

func registrationOf(c *loop.Client, token, address string) *Registered {
	a := &Registered{
		ID: c.ID, IssuedAt: c.CreatedAt.Unix(), Token: token, Address: address + string(c.ID), Name: c.Name, RedirectURIs: c.RedirectURIs,
		AuthMethod: c.Protocol.AuthMethod, GrantTypes: c.Protocol.GrantTypes, ResponseTypes: []string{},
		HomePage: c.HomePage, Logo: c.Logo.URI, PolicyPage: c.PolicyPage, TermsPage: c.TermsPage,
		KeySet: c.Protocol.KeySet, KeySetURI: c.Protocol.KeySetURI, Software: c.Protocol.Software,
	}
	if c.MayUse(loop.GrantAuthorizationCode) {
		a.ResponseTypes = []string{"code"}
	}
	return a
}

// selfRegistrationFault gives all faults in one answer (RFC 7591 §3.2.2): of redirect URIs
// alone under their own code.
func selfRegistrationFault(faults []error) error {
	code, field := loop.InvalidRedirectURI, ""
	var says []string
	for _, fault := range faults {
		e := loop.AsError(fault)
		if e.Field != "redirect_uris" {
			code = loop.InvalidClientMetadata
		}
		if field == "" {
			field = e.Field
		}
		if text := strings.TrimPrefix(e.Field+": ", ": ") + e.Description; !slices.Contains(says, text) {
			says = append(says, text)
		}
	}
	slices.Sort(says)
	return loop.Errorf(code, "The registration is refused. %s", strings.Join(says, " ")).About(field).Because(errors.Join(faults...))
}

// Itself gives a client that registered itself to who has its token (RFC 7592 §2.1);
// InvalidToken for everybody else, whether or not there is such a client.
func (r *Clients) Itself(ctx context.Context, id loop.ClientID, token, address string) (*Registered, error) {
	c, err := r.Store.Client(ctx, id)
	if err != nil && !errors.Is(err, loop.ErrNotFound) {
		return nil, err
	}
	hash := credential.SecretOf(token).Hash()
	if c == nil || c.Registration.By != loop.RegisteredByItself || c.Standing() != loop.Works || subtle.ConstantTimeCompare(c.Registration.Token, hash[:]) != 1 {
		return nil, errNotItself
	}
	return registrationOf(c, token, address), nil
}

var errNotItself = loop.Errorf(loop.InvalidToken, "The registration access token is not this client's, or the client is gone: one that no member has allowed for a day is deleted.")

// DeleteItself deletes a client for who has its token (RFC 7592 §2.3).
func (r *Clients) DeleteItself(ctx context.Context, id loop.ClientID, token string) error {
	if _, err := r.Itself(ctx, id, token, ""); err != nil {
		return err
	}
	return r.Delete(ctx, id, audit.Actor{Kind: audit.ByClient, ID: string(id)})
}

// sweptAtOnce is how many clients one sweep deletes at most.
const sweptAtOnce = 1000

// SweepUnused deletes the clients that registered themselves more than a day ago and
// that no member allows. It comes back when as many are gone as one sweep takes.
func (r *Clients) SweepUnused(ctx context.Context) error {
	unused, err := r.Store.UnusedClients(ctx, r.World.Now().Add(-loop.UnusedRegistrationLife), sweptAtOnce)
	if err != nil {
		return fmt.Errorf("finding clients that nobody uses: %w", err)
	}
	for _, id := range unused {
		if err := r.Delete(ctx, id, audit.Actor{Kind: audit.BySystem}); err != nil && loop.AsError(err).Code != loop.NotFound {
			return fmt.Errorf("deleting a client that nobody uses: %w", err)
		}
	}
	return nil
}
