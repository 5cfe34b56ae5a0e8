package platform

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/docsite"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/portal"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/web"
)

// portalName is the name of the portal's own client, by which it is found again.
const portalName = "Loop developers"

// portalActor is who registers it.
var portalActor = audit.Actor{Kind: audit.BySystem, ID: "portal"}

// introducePortal registers the portal's client, with the secrets that it will show.
func (p *Platform) introducePortal(ctx context.Context) error {
	id, err := p.registerPortal(ctx)
	if err != nil {
		return fmt.Errorf("registering the portal: %w", err)
	}
	p.portal = id
	if err := p.setPortalSecrets(ctx); err != nil {
		return fmt.Errorf("giving the portal its secret: %w", err)
	}
	return nil
}

// buildPortal mounts the portal and the documentation on the developers' host.
func (p *Platform) buildPortal() (http.Handler, error) {
	apps, err := portal.New(portal.Config{
		Identity: p.config.Identity, Clinical: p.config.Clinical, Developers: p.config.Developers, World: p.world,
		ClientID: p.portal, ClientSecret: p.portalSecret, HTTP: p.config.HTTP,
		Clients: p.Clients, Members: p.store, Sessions: p.store,
		Sealer: credential.Sealer{Ring: p.secrets.Ring, Purpose: credential.ForPortal},
		Forms:  credential.Tagger{Ring: p.secrets.Ring, Purpose: credential.ForPages, Label: "portal forms"},
	})
	if err != nil {
		return nil, err
	}
	pages, err := docsite.New(docsite.Config{
		Identity: p.config.Identity, Clinical: p.config.Clinical, Developers: p.config.Developers, Readers: apps,
	})
	if err != nil {
		return nil, err
	}
	site := web.NewSite(p.site("developers", p.config.Developers, nil))
	apps.Mount(site)
	pages.Mount(site)
	return site.Handler(), nil
}

// portalSecretLabel is what the portal's client secret is derived under. It comes
// from the key ring, so that every start and every process has the same, and none
// of them stores it.
const portalSecretLabel = "client secret"

// portalSecret is the secret of the key that is at work.
func (p *Platform) portalSecret() credential.Secret {
	return secretOf(p.secrets.Ring.Derive(credential.ForPortal, portalSecretLabel))
}

// setPortalSecrets registers the secret of every key that the ring holds: also of
// the one that was at work before, and of the one that takes over next.
func (p *Platform) setPortalSecrets(ctx context.Context) error {
	var secrets []credential.Secret
	for _, derived := range p.secrets.Ring.DeriveEach(credential.ForPortal, portalSecretLabel) {
		secrets = append(secrets, secretOf(derived))
	}
	return p.Clients.SetSecrets(ctx, p.portal, secrets, portalActor)
}

func secretOf(derived [32]byte) credential.Secret {
	return credential.SecretOf(credential.ClientSecretPrefix.Form(derived[:]))
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
