package registration

import (
	"slices"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// liveApp is an app that may see everybody's data.
func liveApp() *loop.Client {
	c := New()
	c.AllowedScopes = loop.NewScopes(loop.ScopeOpenID, loop.ScopeProfile, loop.ScopeReadBiomarkers)
	c.Mode, c.BAA = loop.Production, &loop.BAA{SignedOn: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	c.Protocol.ServiceScopes = []string{"read:a", "read:b"}
	return c
}

func TestLost_WhatIsTakenAwayEndsTheTokens(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*loop.Client)
		ends   bool
	}{
		"nothing":       {func(*loop.Client) {}, false},
		"another name":  {func(c *loop.Client) { c.Name = "Another" }, false},
		"disabled":      {func(c *loop.Client) { c.Enabled = false }, true},
		"a scope fewer": {func(c *loop.Client) { c.AllowedScopes = loop.NewScopes(loop.ScopeOpenID) }, true},
		"a scope more":  {func(c *loop.Client) { c.AllowedScopes = append(slices.Clone(c.AllowedScopes), loop.ScopeEmail) }, false},
		"a scope for another": {func(c *loop.Client) {
			c.AllowedScopes = loop.NewScopes(loop.ScopeOpenID, loop.ScopeProfile, loop.ScopeEmail)
		}, true},
		"a service's scope fewer":          {func(c *loop.Client) { c.Protocol.ServiceScopes = []string{"read:a"} }, true},
		"a service's scopes in new order":  {func(c *loop.Client) { c.Protocol.ServiceScopes = []string{"read:b", "read:a"} }, false},
		"the agreement withdrawn":          {func(c *loop.Client) { c.BAA = nil }, true},
		"back to development":              {func(c *loop.Client) { c.Mode = loop.Development }, true},
		"tokens have to be bound by DPoP":  {func(c *loop.Client) { c.Protocol.DPoPBound = true }, true},
		"tokens have to be bound to certs": {func(c *loop.Client) { c.Protocol.CertificateBound = true }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := liveApp()
			after := before.Clone()
			test.change(after)
			if got := lost(before, after); got != test.ends {
				t.Errorf("tokens end: %v", got)
			}
		})
	}
}

func TestLost_WhatWasNotThereIsNotLost(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ before, after func(*loop.Client) }{
		"enabled again":        {func(c *loop.Client) { c.Enabled = false }, func(c *loop.Client) { c.Enabled = true }},
		"disabled and left so": {func(c *loop.Client) { c.Enabled = false }, func(c *loop.Client) { c.Enabled = false }},
		"put into production":  {func(c *loop.Client) { c.Mode = loop.Development }, func(c *loop.Client) { c.Mode = loop.Production }},
		"an agreement while in development withdrawn": {
			func(c *loop.Client) { c.Mode = loop.Development },
			func(c *loop.Client) { c.Mode, c.BAA = loop.Development, nil },
		},
		"bound by DPoP, now by a certificate": {
			func(c *loop.Client) { c.Protocol.DPoPBound = true },
			func(c *loop.Client) { c.Protocol.DPoPBound, c.Protocol.CertificateBound = false, true },
		},
		"bound no more": {
			func(c *loop.Client) { c.Protocol.DPoPBound = true },
			func(c *loop.Client) { c.Protocol.DPoPBound = false },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before, after := liveApp(), liveApp()
			test.before(before)
			test.after(after)
			if lost(before, after) {
				t.Error("tokens end")
			}
		})
	}
}
