package platform

import (
	"context"
	"runtime"
	"slices"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/clinical"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/fetch"
	"github.com/loop-health/loop/internal/inquiry"
	"github.com/loop-health/loop/internal/intake"
	"github.com/loop-health/loop/internal/limit"
	"github.com/loop-health/loop/internal/limit/shared"
	"github.com/loop-health/loop/internal/locale"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/oauth/clientauth"
	"github.com/loop-health/loop/internal/oauth/clientjwt"
	"github.com/loop-health/loop/internal/oauth/possession"
	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/portal"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/webhook"
)

// buildOAuth builds what opens access tokens and, where the role works on what
// identity keeps, what decides.
func (p *Platform) buildOAuth(context.Context) error {
	p.events = &webhook.Composer{World: p.world, Sealer: credential.Sealer{Ring: p.secrets.Ring, Purpose: credential.ForEvents}}
	checker := &possession.Checker{World: p.world, Ring: p.secrets.Ring, Memory: possession.NewMemory(p.world.Now())}
	p.tokens = &oauth.Verifier{
		Issuer: p.config.Identity.String(), World: p.world, Ring: p.secrets.Ring, Signing: p.secrets.Signing,
		Revocations: p.revocations, Possession: checker,
	}
	if p.store == nil {
		return nil
	}
	texts, err := locale.Load()
	if err != nil {
		return err
	}
	p.texts = texts
	p.Clients = &registration.Clients{Store: p.store, World: p.world, Outgoing: p.outgoing, Events: p.events}
	ledger := p.ledger()
	keys := &clientjwt.Keys{Fetcher: p.outgoing, World: p.world}
	p.OAuth = &oauth.Server{
		UILocales: texts.Tags(),
		Endpoints: oauth.Endpoints{Issuer: p.tokens.Issuer},
		Resources: oauth.Resources{
			Own: []string{p.tokens.Issuer, p.config.Clinical.String(), p.config.Clinical.String() + clinical.MCPPath}, Outside: p.config.Resources,
			Administration: loop.Resource{Identifier: p.tokens.Issuer, Scopes: loop.AdminScopes(), Format: loop.FormatOpaque},
			FHIR:           p.fhirBase(), Clinical: p.config.Clinical.String(),
		},
		World: p.world, Ring: p.secrets.Ring, Revocations: p.revocations, Log: p.config.Log, Events: p.events,
		Minter: &oauth.Minter{Issuer: p.tokens.Issuer, FHIR: p.fhirBase(), World: p.world, Ring: p.secrets.Ring, Signing: p.secrets.Signing},
		Forms:  oauth.Forms{World: p.world, Ring: p.secrets.Ring},
		Ledger: ledger, Pushed: p.store, TakesDocuments: p.config.ClientDocuments.Any(), Registers: p.config.Registers,
		Tokens: p.tokens, Possession: checker, ClientKeys: keys,
	}
	if p.config.IdentityCertificate != nil {
		p.OAuth.CertificateURL = p.config.IdentityCertificate.String()
	}
	p.OAuth.Clients = &clientauth.Authenticator{
		Issuer: p.OAuth.Issuer, TokenURLs: p.OAuth.Addresses(oauth.TokenPath), World: p.world, Clients: oauth.Refusals{Ledger: ledger},
		Assertions: p.store, Keys: keys, Authorities: p.config.ClientAuthorities, Log: p.config.Log,
	}
	return nil
}

// fhirBase is the base address of FHIR.
func (p *Platform) fhirBase() string { return p.config.Clinical.String() + clinical.FHIRPath }

func (p *Platform) buildRules(context.Context) error {
	var err error
	if p.Catalogue, err = biomarker.NewCatalogue(); err != nil {
		return err
	}
	if p.store != nil {
		passwords := signin.Passwords{Passwords: credential.NewPasswords(p.world, max(1, runtime.NumCPU()/2))} // the other half is for apps
		logouts := &oauth.Logouts{Server: p.OAuth, Outgoing: logoutAddresses{others: p.outgoing, portal: portal.BackchannelLogoutURL(p.config.Developers), own: p.config.HTTP}}
		p.workers = append(p.workers, outbox.NewWorker(p.store, logouts, p.world, p.config.Log))
		p.Accounts = &member.Accounts{Store: p.store, World: p.world, Passwords: passwords, OnSessionEnd: logouts.SessionEnded}
		p.SignIns = &signin.Authenticator{
			Store: p.store, Accounts: p.Accounts, World: p.world, Passwords: passwords,
			Throttle: &signin.Throttle{
				Tries: p.tries, SignUpsPerHour: p.config.SignUpsPerHour,
				Secret: p.secrets.Ring.Derive(credential.ForAudit, "sign-in tries"), // of the one key that is never replaced
			},
			OnSessionEnd: logouts.SessionEnded,
			Ring:         p.secrets.Ring, Passkeys: p.store, Factors: p.store,
		}
		if p.SignIns.RelyingParty, err = signin.NewRelyingParty(p.config.Identity); err != nil {
			p.config.Log.Info("no passkeys: identity's address has no name", "address", p.config.Identity.Host)
		}
		p.Links = &member.Links{Accounts: p.Accounts, Sealer: credential.Sealer{Ring: p.secrets.Ring, Purpose: credential.ForMail}}
		p.buildMail()
		logos := &registration.Logos{Clients: p.Clients, Pictures: p.store, Fetcher: p.outgoing}
		p.workers = append(p.workers, outbox.NewWorker(p.store, logos, p.world, p.config.Log))
		p.buildWebhooks()
	}
	if p.store == nil {
		p.asker = inquiry.NewClient(p.config.Identity, p.config.HTTP, p.clientMemory, p.world, p.secrets.Ring)
	}
	if p.results != nil {
		p.workers = slices.Insert(p.workers, 0, outbox.NewWorker(p.results, &webhook.Forwarder{Taker: p.newsTaker(), Events: p.events}, p.world, p.config.Log))
		p.Importer = &biomarker.Importer{Catalogue: p.Catalogue, Inbox: p.results, World: p.world, Events: p.events}
		p.Imports = &intake.Keeper{Catalogue: p.Catalogue, Archive: p.results, Asides: p.results, Members: everybody{p.demographics()}, World: p.world, Events: p.events}
	}
	p.buildLeaving()
	return p.startLimits()
}

// buildMail builds what writes to people, where there is a server that takes mails.
func (p *Platform) buildMail() {
	if p.config.Mail == nil {
		return
	}
	office := &mail.Office{Sealer: p.Links.Sealer, World: p.world}
	deliverer := &mail.Deliverer{Office: office, Sender: p.config.Mail, Members: p.store, Texts: p.texts, Identity: p.config.Identity, World: p.world}
	p.workers = append(p.workers, outbox.NewWorker(p.store, deliverer, p.world, p.config.Log))
	p.Accounts.Office, p.SignIns.Office, p.OAuth.Office, p.Clients.Office = office, office, office, office
	p.Mailed = &member.Mailed{Links: p.Links, Find: p.store, Office: office, Limits: p.SignIns.Throttle, Delay: deliverer}
}

// Bounds of what is sent to webhooks at a time, which have a client of their own: what
// hangs there keeps nobody from fetching keys.
const (
	webhooksPerHost = 32
	webhooksAtOnce  = 256
)

// buildWebhooks builds what sends events to apps.
func (p *Platform) buildWebhooks() {
	outgoing := p.outgoingConfig()
	outgoing.PerHost, outgoing.InAll = webhooksPerHost, webhooksAtOnce
	p.webhookSecrets = webhook.Secrets{Ring: p.secrets.Ring}
	p.deliveries = &webhook.Deliveries{Store: p.store, Events: p.events}
	deliverer := &webhook.Deliverer{Store: p.store, Health: p.store, Outgoing: fetch.New(outgoing), Disabler: p.Clients, Secrets: p.webhookSecrets, Events: p.events, World: p.world}
	p.revocations.Hear(deliverer.Revoked)
	p.workers = append(p.workers, outbox.NewWorker(p.store, deliverer, p.world, p.config.Log))
}

// newsDesk takes in what clinical says happened.
func (p *Platform) newsDesk() webhook.Taker { return &webhook.Desk{Store: p.store, Events: p.events} }

// newsTaker is who knows the apps, wherever that is.
func (p *Platform) newsTaker() webhook.Taker {
	if p.store == nil {
		return p.asker
	}
	return p.newsDesk()
}

func (p *Platform) startLimits() error {
	if p.config.Unlimited {
		return nil
	}
	p.limits = limit.New(p.world)
	if p.config.LimitStore == "" {
		return nil
	}
	store, err := shared.Open(p.config.LimitStore, p.config.Log)
	if err != nil {
		return err
	}
	p.limits.ShareBy(store)
	p.limitStore = store
	return nil
}
