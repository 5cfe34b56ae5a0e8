package platform

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/dev"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/portal"
	"github.com/loop-health/loop/internal/registration"
)

// seeder is who makes what a platform on a laptop begins with.
var seeder = audit.Actor{Kind: audit.BySystem, ID: "loop dev"}

// Seed makes the people and the app of a platform on a laptop that are not there
// yet. Done twice it changes nothing (dev.Platform).
func (p *Platform) Seed(ctx context.Context, seed dev.Seed) (dev.Seed, error) {
	for _, person := range []dev.Person{seed.Member, seed.Member2} {
		if err := p.seedMember(ctx, person, true); err != nil {
			return seed, err
		}
	}
	if err := p.seedMember(ctx, seed.Developer, false); err != nil {
		return seed, err
	}
	if err := p.seedPersonas(ctx, seed.PersonaPassword); err != nil {
		return seed, err
	}
	return p.seedApp(ctx, seed)
}

// seedMember makes an account, and for a member lab results that are as old as
// the account.
func (p *Platform) seedMember(ctx context.Context, person dev.Person, withResults bool) error {
	email, err := loop.ParseEmail(person.Email)
	if err != nil {
		return err
	}
	if _, _, err := p.store.Account(ctx, email); !errors.Is(err, loop.ErrNotFound) {
		return err
	}
	m, err := p.Accounts.Create(ctx, member.Account{
		Name: person.Name, Email: person.Email, Password: person.Password, Sex: person.Sex, EmailVerified: true, Test: true,
	})
	if err != nil {
		return fmt.Errorf("seeding %s: %w", person.Name, err)
	}
	if !withResults {
		return nil
	}
	results, err := p.Catalogue.Synthetic(m.ID, person.Sex, p.world.Now().Truncate(24*time.Hour))
	if err != nil {
		return err
	}
	return p.Importer.Import(ctx, seeder, m.ID, results)
}

// seedPersonas makes the test members whose results tell a story, and has the portal
// say how to sign in as them.
func (p *Platform) seedPersonas(ctx context.Context, password string) error {
	var members []portal.TestMember
	hash := "" // of the one password: it is made where the first of them is missing
	for _, persona := range biomarker.Personas() {
		account := member.Account{
			Name: persona.Name, Email: persona.Key + "@members.example", Password: password, PasswordHash: hash,
			Sex: persona.Sex, EmailVerified: true, Test: true,
		}
		if err := p.seedPersona(ctx, persona, &account); err != nil {
			return fmt.Errorf("seeding %s: %w", persona.Name, err)
		}
		hash = account.PasswordHash
		members = append(members, portal.TestMember{Name: account.Name, Email: account.Email, Password: password, Story: persona.Story})
	}
	p.testMembers.Store(&members)
	return nil
}

// knownTestMembers are those whose passwords the portal may show.
func (p *Platform) knownTestMembers() []portal.TestMember {
	if known := p.testMembers.Load(); known != nil {
		return *known
	}
	return nil
}

// seedPersona makes one of them, where there is no account of that address yet, and
// leaves the hash of the password in the account.
func (p *Platform) seedPersona(ctx context.Context, persona biomarker.Persona, account *member.Account) error {
	email, err := loop.ParseEmail(account.Email)
	if err != nil {
		return err
	}
	if _, _, err := p.store.Account(ctx, email); !errors.Is(err, loop.ErrNotFound) {
		return err
	}
	if account.PasswordHash == "" {
		if account.PasswordHash, err = p.Accounts.Passwords.Choose(ctx, account.Password, email); err != nil {
			return err
		}
	}
	m, err := p.Accounts.Create(ctx, *account)
	if err != nil {
		return err
	}
	results, err := persona.Results(p.Catalogue, m.ID, p.world.Now().Truncate(24*time.Hour))
	if err != nil {
		return err
	}
	if len(results) > 0 {
		err = p.Importer.Import(ctx, seeder, m.ID, results)
	}
	if err == nil && persona.Suspended {
		err = p.Accounts.Suspend(ctx, m.ID, oauth.NewRevocation(p.world, loop.RevokeMember, string(m.ID)), seeder)
	}
	return err
}

// seedApp registers the developer's app, or gives the one that is there a new
// secret where it does not hold that which the folder remembers.
func (p *Platform) seedApp(ctx context.Context, seed dev.Seed) (dev.Seed, error) {
	uris := make([]loop.RedirectURI, len(seed.RedirectURIs))
	for i, uri := range seed.RedirectURIs {
		uris[i] = loop.RedirectURI(uri)
	}
	existing, err := p.store.Client(ctx, loop.ClientID(seed.ClientID))
	if err != nil && !errors.Is(err, loop.ErrNotFound) {
		return seed, err
	}
	if existing == nil {
		developer, err := p.developer(ctx, seed)
		if err != nil {
			return seed, err
		}
		app := registration.New()
		app.Name, app.RedirectURIs, app.Owner = "Quickstart", uris, developer
		app.AllowedScopes = loop.NewScopes(loop.ScopeOpenID, loop.ScopeProfile, loop.ScopeEmail, loop.ScopeReadBiomarkers)
		secret, err := p.Clients.Create(ctx, app, seeder)
		if err != nil {
			return seed, fmt.Errorf("seeding the app: %w", err)
		}
		seed.ClientID, seed.ClientSecret = string(app.ID), secret.Reveal()
		return seed, nil
	}
	if existing.HoldsSecret(credential.SecretOf(seed.ClientSecret).Hash(), p.world.Now()) {
		return seed, nil
	}
	secret, err := p.Clients.RotateSecret(ctx, existing.ID, seeder)
	if err != nil {
		return seed, fmt.Errorf("giving the app a new secret: %w", err)
	}
	seed.ClientSecret = secret.Reveal()
	return seed, nil
}

// developer gives the id of the developer, whose app is found in the portal.
func (p *Platform) developer(ctx context.Context, seed dev.Seed) (loop.MemberID, error) {
	email, err := loop.ParseEmail(seed.Developer.Email)
	if err != nil {
		return "", err
	}
	account, _, err := p.store.Account(ctx, email)
	if err != nil {
		return "", fmt.Errorf("finding the developer: %w", err)
	}
	return account.ID, nil
}
