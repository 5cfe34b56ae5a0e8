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
		Sealer:  credential.Sealer{Ring: p.secrets.Ring, Purpose: credential.ForPortal},
		FormKey: p.secrets.Ring.Derive(credential.ForPages, "portal forms"),
	})
	if err != nil {
		return nil, fmt.Errorf("building the portal: %w", err)
	}
	return host.Handler(), nil
}

// portalClient finds the portal's client, or registers it. Its secret comes from
// the key ring, so that every start and every process has the same, and none of
// them stores it.
func (p *Platform) portalClient(ctx context.Context) (loop.ClientID, credential.Secret, error) {
	key := p.secrets.Ring.Derive(credential.ForPortal, "client secret")
	secret := credential.SecretOf(credential.ClientSecretPrefix.Form(key[:]))
	id, err := p.registerPortal(ctx)
	if err != nil {
		return "", secret, err
	}
	return id, secret, p.Clients.SetSecret(ctx, id, secret, portalActor)
}

// registerPortal gives the portal's client its present redirect URI, and makes
// the client where there is none.
func (p *Platform) registerPortal(ctx context.Context) (loop.ClientID, error) {
	clients, err := p.store.Clients(ctx)
	if err != nil {
		return "", err
	}
	callback := []loop.RedirectURI{portal.CallbackURL(p.config.Developers)}
	at := slices.IndexFunc(clients, func(c *loop.Client) bool { return c.FirstParty && c.Name == portalName })
	if at < 0 {
		c := registration.New()
		c.Name, c.RedirectURIs, c.FirstParty, c.Verified = portalName, callback, true, true
		c.AllowedScopes = loop.NewScopes(loop.ScopeOpenID, loop.ScopeProfile, loop.ScopeEmail)
		c.AccessTokenTTL, c.Mode = loop.MinAccessTokenTTL, loop.Production
		_, err := p.Clients.Create(ctx, c, portalActor)
		return c.ID, err
	}
	id := clients[at].ID
	if !slices.Equal(clients[at].RedirectURIs, callback) { // the platform has moved
		_, err = p.Clients.Update(ctx, id, portalActor, func(c *loop.Client) { c.RedirectURIs = callback })
	}
	return id, err
}
