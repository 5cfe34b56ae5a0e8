package platform

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/portal"
	"github.com/loop-health/loop/internal/registration"
)

// portalName is the name of the portal's own client, by which it is found again.
const portalName = "Loop developers"

// portalActor is who registers it.
var portalActor = audit.Actor{Kind: audit.BySystem, ID: "portal"}

func (p *Platform) buildPortal(ctx context.Context) (http.Handler, error) {
	id, secret, err := p.portalClient(ctx)
	if err != nil {
		return nil, fmt.Errorf("registering the portal: %w", err)
	}
	host, err := portal.New(portal.Config{
		Site: p.site(p.config.Developers), Identity: p.config.Identity, Clinical: p.config.Clinical,
		ClientID: id, ClientSecret: secret, HTTP: p.config.HTTP,
		Clients: p.Clients, Members: p.store,
		Sealer:  credential.Sealer{Ring: p.ring, Purpose: credential.ForPortal},
		FormKey: p.ring.Derive(credential.ForPages, "portal forms"),
	})
	if err != nil {
		return nil, fmt.Errorf("building the portal: %w", err)
	}
	return host.Handler(), nil
}

// portalClient finds the portal's client, or registers it. Its secret is made
// anew at every start and kept nowhere.
func (p *Platform) portalClient(ctx context.Context) (loop.ClientID, credential.Secret, error) {
	clients, err := p.store.Clients(ctx)
	if err != nil {
		return "", credential.Secret{}, err
	}
	callback := []loop.RedirectURI{portal.CallbackURL(p.config.Developers)}
	at := slices.IndexFunc(clients, func(c *loop.Client) bool { return c.FirstParty && c.Name == portalName })
	if at < 0 {
		c := registration.New()
		c.Name, c.RedirectURIs, c.FirstParty, c.Verified = portalName, callback, true, true
		c.AllowedScopes = loop.NewScopes(loop.ScopeOpenID, loop.ScopeProfile, loop.ScopeEmail)
		c.AccessTokenTTL, c.Mode = loop.MinAccessTokenTTL, loop.Production
		secret, err := p.Clients.Create(ctx, c, portalActor)
		return c.ID, secret, err
	}
	id := clients[at].ID
	if !slices.Equal(clients[at].RedirectURIs, callback) { // the platform has moved
		if _, err := p.Clients.Update(ctx, id, portalActor, func(c *loop.Client) { c.RedirectURIs = callback }); err != nil {
			return "", credential.Secret{}, err
		}
	}
	secret, err := p.Clients.RotateSecret(ctx, id, portalActor)
	return id, secret, err
}
