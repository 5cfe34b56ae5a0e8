package platform

import (
	"context"
	"runtime"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/inquiry"
	"github.com/loop-health/loop/internal/limit"
	"github.com/loop-health/loop/internal/limit/shared"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/registration"
)

func (p *Platform) buildOAuth(context.Context) error {
	p.OAuth = &oauth.Server{
		Issuer: p.config.Identity.String(), OwnResources: []string{p.config.Identity.String(), p.config.Clinical.String()}, Resources: p.config.Resources,
		World: p.world, Ring: p.secrets.Ring, Signing: p.secrets.Signing, Revocations: p.revocations,
		ClientKeys: &oauth.ClientKeys{Fetcher: p.outgoing, World: p.world}, Proofs: oauth.NewProofs(p.world.Now()),
		ClientAuthorities: p.config.ClientAuthorities, Log: p.config.Log,
	}
	if p.store != nil { // else it opens tokens, and decides nothing
		p.OAuth.Ledger, p.OAuth.Assertions, p.OAuth.Pushed, p.OAuth.Logouts, p.OAuth.Epochs = p.store, p.store, p.store, p.store, p.store
	}
	if p.config.IdentityCertificate != nil {
		p.OAuth.CertificateURL = p.config.IdentityCertificate.String()
	}
	return nil
}

func (p *Platform) buildRules(context.Context) error {
	var err error
	if p.Catalogue, err = biomarker.NewCatalogue(); err != nil {
		return err
	}
	if p.store != nil {
		p.Accounts = &member.Accounts{
			Store: p.store, World: p.world,
			Passwords: credential.NewPasswords(p.world, max(1, runtime.NumCPU()/2)), // the other half is for apps
			Throttle:  member.NewThrottle(p.world, p.config.SignUpsPerHour),
		}
		p.Clients = &registration.Clients{Store: p.store, World: p.world, Outgoing: p.outgoing}
	}
	if p.store == nil {
		p.asker = inquiry.NewAsker(p.config.Identity, p.config.HTTP, p.clientMemory, p.world, p.secrets.Ring)
	}
	if p.results != nil {
		p.Importer = &biomarker.Importer{Catalogue: p.Catalogue, Inbox: p.results, World: p.world}
	}
	return p.startLimits()
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
