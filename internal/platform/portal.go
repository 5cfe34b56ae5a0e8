package platform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/fetch"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/portal"
	"github.com/loop-health/loop/internal/registration"
)

// portalID is the id of the portal's own client: the same on every platform, so that
// no name that an operator gives or takes away can point to another app.
const portalID loop.ClientID = "client_0000000000000000DEVE10PERS"

// playgroundID is the id of the ready-made app of the portal's playground.
const playgroundID loop.ClientID = "client_0000000000000000P1AYGR0VND"

// portalActor is who registers them.
var portalActor = audit.Actor{Kind: audit.BySystem, ID: "portal"}

// introducePortal registers the portal's client, with the secrets that it will show, and
// the app of its playground.
func (p *Platform) introducePortal(ctx context.Context) error {
	if err := p.registerPortal(ctx); err != nil {
		return fmt.Errorf("registering the portal: %w", err)
	}
	if err := p.setPortalSecrets(ctx); err != nil {
		return fmt.Errorf("giving the portal its secret: %w", err)
	}
	if err := p.registerPlayground(ctx); err != nil {
		return fmt.Errorf("registering the playground's app: %w", err)
	}
	return nil
}

// registerPlayground makes the playground's app where there is none, and gives it its
// present address. It is in development mode: it sees health data of test members alone.
func (p *Platform) registerPlayground(ctx context.Context) error {
	callback := []loop.RedirectURI{portal.PlayCallbackURL(p.config.Developers)}
	c, err := p.store.Client(ctx, playgroundID)
	switch {
	case errors.Is(err, loop.ErrNotFound):
		c := registration.New()
		c.ID, c.Name, c.Type, c.RedirectURIs, c.Verified = playgroundID, "Playground", loop.Public, callback, true
		c.AllowedScopes = loop.NewScopes(loop.ScopeOpenID, loop.ScopeProfile, loop.ScopeEmail, loop.ScopeReadBiomarkers)
		_, err = p.Clients.Create(ctx, c, portalActor)
	case err == nil && !slices.Equal(c.RedirectURIs, callback): // the platform has moved
		_, err = p.Clients.Update(ctx, playgroundID, portalActor, func(c *loop.Client) { c.RedirectURIs = callback })
	}
	return err
}

// registerPortal gives the portal's client its present addresses, and makes the
// client where there is none. Starts follow each other (engine.begin): no two
// make it.
func (p *Platform) registerPortal(ctx context.Context) error {
	callback := []loop.RedirectURI{portal.CallbackURL(p.config.Developers)}
	logout := portal.BackchannelLogoutURL(p.config.Developers)
	c, err := p.store.Client(ctx, portalID)
	switch {
	case errors.Is(err, loop.ErrNotFound):
		c := registration.New()
		c.ID, c.Name, c.RedirectURIs, c.FirstParty, c.Verified = portalID, "Loop developers", callback, true, true
		c.AllowedScopes = loop.NewScopes(loop.ScopeOpenID, loop.ScopeProfile, loop.ScopeEmail)
		c.AccessTokenTTL, c.Mode = loop.MinAccessTokenTTL, loop.Production
		c.Protocol.BackchannelLogoutURI = logout
		_, err = p.Clients.Create(ctx, c, portalActor)
	case err == nil && (!slices.Equal(c.RedirectURIs, callback) || c.Protocol.BackchannelLogoutURI != logout): // the platform has moved
		_, err = p.Clients.Update(ctx, portalID, portalActor, func(c *loop.Client) {
			c.RedirectURIs, c.Protocol.BackchannelLogoutURI = callback, logout
		})
	}
	return err
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
	return p.Clients.SetSecrets(ctx, portalID, secrets, portalActor)
}

func secretOf(derived [32]byte) credential.Secret {
	return credential.SecretOf(credential.ClientSecretPrefix.Form(derived[:]))
}

// formSecrets gives the secret that a form of the portal makes, under each key of the
// ring, the one at work first. Without the form's id, which only its sender has, the
// keys make no secret of anybody's.
func (p *Platform) formSecrets(form string) []credential.Secret {
	label := "secret of the form " + form
	secrets := []credential.Secret{secretOf(p.secrets.Ring.Derive(credential.ForPortal, label))}
	for _, derived := range p.secrets.Ring.DeriveEach(credential.ForPortal, label) {
		secrets = append(secrets, secretOf(derived))
	}
	return secrets
}

// logoutAddresses sends logout tokens: to apps by the one way to servers of others, and to
// the portal, whose address is the platform's own, as its hosts reach each other.
type logoutAddresses struct {
	others *fetch.Client
	portal string // where the portal takes logout tokens
	own    *http.Client
}

// Post sends a body and gives the status of the answer (oauth.Poster).
func (l logoutAddresses) Post(ctx context.Context, address, contentType string, body []byte) (status int, err error) {
	if address != l.portal {
		return l.others.Post(ctx, address, contentType, body)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", contentType)
	answer, err := l.own.Do(request)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}
