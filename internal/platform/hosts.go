package platform

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/loop-health/loop/internal/account"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/clinical"
	"github.com/loop-health/loop/internal/connection"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/docsite"
	"github.com/loop-health/loop/internal/identity"
	"github.com/loop-health/loop/internal/inquiry"
	"github.com/loop-health/loop/internal/locale"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/oauth/clientjwt"
	"github.com/loop-health/loop/internal/portal"
	"github.com/loop-health/loop/internal/requestlog"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// room is a room that answers on a public host.
type room interface {
	// Mount adds the room's routes to the host.
	Mount(site *web.Site)
}

// buildHosts mounts the rooms of each host that the role serves. Whoever works on
// identity's clients has the portal's among them.
func (p *Platform) buildHosts(ctx context.Context) error {
	if p.store != nil {
		if err := p.introducePortal(ctx); err != nil {
			return err
		}
	}
	for _, host := range []struct {
		role  Role
		site  web.Config
		build func() ([]room, error)
		into  *http.Handler
	}{
		{RoleIdentity, p.site("identity", p.config.Identity, p.config.IdentityCertificate), p.buildIdentity, &p.identity},
		{RoleClinical, p.site("clinical", p.config.Clinical, p.config.ClinicalCertificate), p.buildClinical, &p.clinical},
		{RoleDevelopers, p.site("developers", p.config.Developers, nil), p.buildDevelopers, &p.developers},
	} {
		if !p.config.Role.Serves(host.role) {
			continue
		}
		rooms, err := host.build()
		if err != nil {
			return fmt.Errorf("building %s: %w", host.role, err)
		}
		site := web.NewSite(host.site)
		for _, room := range rooms {
			room.Mount(site)
		}
		*host.into = site.Handler()
	}
	return nil
}

// buildIdentity gives the protocol and the member's own pages, which share a host
// and what it knows of its visitors.
func (p *Platform) buildIdentity() ([]room, error) {
	visitors := visitor.New(p.OAuth, p.SignIns, p.secrets.Ring, p.texts)
	var registrations identity.Registrations
	if p.config.Registers {
		registrations = p.Clients
	}
	protocol, err := identity.New(identity.Config{
		Registrations: registrations, OAuth: p.OAuth, SignIns: p.SignIns, Visitors: visitors, Texts: p.texts, Pictures: p.store, Results: p.ownResults(),
		Webhooks: p.Clients, Deliveries: p.deliveries, WebhookSecrets: p.webhookSecrets,
	})
	if err != nil {
		return nil, err
	}
	pages, err := account.New(account.Config{
		Biomarkers: p.ownResults(),
		Accounts:   p.Accounts, SignIns: p.SignIns, Visitors: visitors, Texts: p.texts, Links: p.Links, Mailed: p.Mailed, Confirmations: credential.Tagger{Ring: p.secrets.Ring, Purpose: credential.ForPages, Label: "confirmed links"}, Connections: p.connections(), Resource: p.resource,
		Imports: p.Imports, Uploads: credential.Sealer{Ring: p.secrets.Ring, Purpose: credential.ForPages},
	})
	if err != nil {
		return nil, err
	}
	desk, err := p.buildConsole(visitors)
	if err != nil {
		return nil, err
	}
	rooms := []room{visitors, protocol, pages, desk}
	if p.config.Database != "" { // clinical may run in other processes
		rooms = append(rooms, inquiry.NewServer(p.store, p.Clients, p.newsDesk(), p.world, p.secrets.Ring))
	}
	return rooms, nil
}

// resource is the phase that requests with access tokens pass on identity's host.
func (p *Platform) resource(site *web.Site) *web.Resource {
	return &web.Resource{Site: site, Tokens: p.tokens, Clients: p.store, Refusals: oauth.Refusals{Ledger: p.store}}
}

// connections are the apps that members allowed. What those read is recorded by
// clinical, which may be another process.
func (p *Platform) connections() *connection.Connections {
	c := &connection.Connections{Store: p.store, Consents: p.OAuth, World: p.world, Reads: p.results}
	if p.results == nil {
		c.Reads = inquiry.NewReadsClient(p.config.Clinical, p.config.HTTP, p.world, p.secrets.Ring)
	}
	return c
}

// ownResults reads a member's results for their own pages. Clinical keeps them, which
// may be another process.
func (p *Platform) ownResults() *biomarker.Reader {
	r := &biomarker.Reader{Catalogue: p.Catalogue, Results: p.results, Cursors: credential.Tagger{Ring: p.secrets.Ring, Purpose: credential.ForPages, Label: "account cursors"}}
	if p.results == nil {
		r.Results = inquiry.NewResultsClient(p.config.Clinical, p.config.HTTP, p.world, p.secrets.Ring)
	}
	return r
}

func (p *Platform) buildClinical() ([]room, error) {
	config := clinical.Config{
		Importer:   p.Importer,
		Imports:    p.Imports,
		Biomarkers: &biomarker.Reader{Catalogue: p.Catalogue, Results: p.results, Cursors: credential.Tagger{Ring: p.secrets.Ring, Purpose: credential.ForPages, Label: "clinical cursors"}},
		Tokens:     p.tokens,
		Records:    p.results,
		Reads:      p.results,
		Texts:      p.texts,
		World:      p.world,
		Metadata: oauth.ResourceMetadata{
			Resource: p.config.Clinical.String(), AuthorizationServers: []string{p.tokens.Issuer},
			ScopesSupported: []string{string(loop.ScopeReadDemographics), string(loop.ScopeReadBiomarkers), string(loop.ScopeWriteBiomarkers)}, BearerMethods: []string{"header"},
			ProofAlgorithms: clientjwt.Algorithms(), CertificateBoundTokens: p.config.ClinicalCertificate != nil,
			Name: "Connect with Loop: lab results", Documentation: p.config.Developers.JoinPath(web.DocumentationPath, "lab-results").String(),
		},
		SMART:        p.smartConfiguration(),
		SignInMaxAge: p.config.SignInMaxAge,
	}
	config.Members = p.demographics()
	if p.store != nil {
		config.Clients = p.store
	} else {
		config.Clients = p.asker
	}
	rooms := []room{clinical.New(config)}
	if p.config.Database != "" { // identity may run in other processes
		rooms = append(rooms, inquiry.NewReadsServer(p.results, p.world, p.secrets.Ring), inquiry.NewResultsServer(p.results, p.world, p.secrets.Ring))
	}
	return rooms, nil
}

// smartConfiguration is what apps of SMART App Launch read of identity.
func (p *Platform) smartConfiguration() oauth.SMARTConfiguration {
	endpoints := oauth.Endpoints{Issuer: p.tokens.Issuer}
	if p.config.IdentityCertificate != nil {
		endpoints.CertificateURL = p.config.IdentityCertificate.String()
	}
	return endpoints.SMARTConfiguration(p.config.ClientAuthorities != nil, p.config.Identity.JoinPath("account", "apps").String())
}

// buildDevelopers gives the portal and the documentation, which share a host.
func (p *Platform) buildDevelopers() ([]room, error) {
	apps, err := portal.New(portal.Config{
		Identity: p.config.Identity, Clinical: p.config.Clinical, Developers: p.config.Developers, World: p.world, English: p.texts.Match(locale.English),
		ClientID: portalID, ClientSecret: p.portalSecret, Playground: playgroundID, TestMembers: p.knownTestMembers, HTTP: p.config.HTTP,
		Deliveries: p.deliveries, WebhookSecrets: p.webhookSecrets,
		Clients: p.Clients, Requests: requestlog.Log{Store: p.store, Recorder: &p.requests}, Inspector: p.OAuth, Members: p.store, Sessions: p.store,
		Sealer: credential.Sealer{Ring: p.secrets.Ring, Purpose: credential.ForPortal},
		Forms:  credential.Tagger{Ring: p.secrets.Ring, Purpose: credential.ForPages, Label: "portal forms"},

		FormSecrets: p.formSecrets,
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
	return []room{apps, pages}, nil
}

func (p *Platform) site(name string, public, certificate *url.URL) web.Config {
	var observe web.Observe
	if p.config.Metrics != nil {
		observe = p.config.Metrics.Observe(name)
	}
	return web.Config{
		PublicURL: public, CertificateURL: certificate, CertificateHeader: p.config.CertificateHeader, Developers: p.config.Developers, World: p.world, Log: p.config.Log,
		SecurityContact: p.config.SecurityContact, Origins: p.hasOrigin, Limits: p.limits, TrustedProxies: p.config.TrustedProxies, Observe: observe, Exchanged: p.exchanged(name), Live: p.engine.live,
	}
}

// hasOrigin reports whether an enabled app registered an origin.
func (p *Platform) hasOrigin(ctx context.Context, origin string) bool {
	if p.Clients == nil {
		return p.asker.HasOrigin(ctx, origin)
	}
	return p.Clients.HasOrigin(ctx, origin)
}

// Hosts gives the handlers of the three public hosts; nil for those that the role
// does not serve.
func (p *Platform) Hosts() (identity, clinical, developers http.Handler) {
	return p.identity, p.clinical, p.developers
}

// demographics is what clinical may ask of identity, wherever that is.
func (p *Platform) demographics() clinical.Members {
	if p.store == nil {
		return p.asker
	}
	return demographics{p.store}
}

// everybody is intake.Members.
type everybody struct{ members clinical.Members }

// Exists reports whether there is a member of this id.
func (e everybody) Exists(ctx context.Context, id loop.MemberID) (bool, error) {
	if !id.Valid() {
		return false, nil
	}
	_, err := e.members.Person(ctx, id)
	if errors.Is(err, loop.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// demographics is all that clinical may ask of identity, where both run in one
// process.
type demographics struct{ store identityStore }

// Person gives the member's recorded sex and birth date (clinical.Members).
func (d demographics) Person(ctx context.Context, id loop.MemberID) (biomarker.Person, error) {
	m, err := d.store.Member(ctx, id)
	if err != nil {
		return biomarker.Person{}, err
	}
	return biomarker.Person{Sex: m.Sex, BornOn: m.BornOn}, nil
}

// Name gives the member's name (clinical.Members).
func (d demographics) Name(ctx context.Context, id loop.MemberID) (string, error) {
	m, err := d.store.Member(ctx, id)
	if err != nil {
		return "", err
	}
	return m.Name, nil
}
