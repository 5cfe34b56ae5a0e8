package platform

import (
	"context"
	"errors"

	"github.com/loop-health/loop/internal/console"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/operator"
	"github.com/loop-health/loop/internal/visitor"
)

func (p *Platform) team() *operator.Team { return &operator.Team{Store: p.store, World: p.world} }

// buildConsole builds the pages of operators.
func (p *Platform) buildConsole(visitors *visitor.Visitors) (*console.Host, error) {
	return console.New(console.Config{Visitors: visitors, Team: p.team(), Strength: strength{p.store}, Operations: p.operations(), Health: health{p}, Resource: p.resource})
}

// strength is console.Strength.
type strength struct{ store identityStore }

// HasStrong reports whether a member has a passkey or a second factor.
func (s strength) HasStrong(ctx context.Context, id loop.MemberID) (bool, error) {
	passkeys, err := s.store.Passkeys(ctx, id)
	if err != nil || len(passkeys) > 0 {
		return len(passkeys) > 0, err
	}
	_, err = s.store.Factor(ctx, id)
	if errors.Is(err, loop.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// health is console.Health.
type health struct{ p *Platform }

// Health gives what each check of readiness finds.
func (h health) Health(ctx context.Context) (all []console.Finding) {
	for _, check := range h.p.Checks() {
		finding := console.Finding{Name: check.Name}
		if err := check.Run(ctx); err != nil {
			finding.Fault = err.Error()
		}
		all = append(all, finding)
	}
	return all
}
