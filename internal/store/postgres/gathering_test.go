//go:build unix

package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/store"
	"github.com/loop-health/loop/internal/store/postgres"
)

// crowd are members with a chain each, of one app.
type crowd struct {
	process
	config  postgres.Config
	db      *postgres.Database
	clock   *loop.Clock
	chains  []*loop.Chain
	commits chan store.Commit
}

func newCrowd(t *testing.T, members int) *crowd {
	t.Helper()
	c := &crowd{commits: make(chan store.Commit, 1000)}
	c.config, c.clock = migrated(t)
	c.db = open(t, postgres.Identity, c.config)
	c.process = serveOn(t, c.db, c.clock)
	app := registration.New()
	app.ID, app.Name, app.RedirectURIs = loop.NewClientID(c.clock), "Morning Labs", []loop.RedirectURI{"https://app.example.com/cb"}
	check(t, c.AddClient(t.Context(), app, registration.Terms{}, c.record()))
	for i := range members {
		c.addChain(t, app, i)
	}
	c.db.OnCommit(func(one store.Commit) { c.commits <- one })
	return c
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (c *crowd) addChain(t *testing.T, app *loop.Client, i int) {
	t.Helper()
	now := c.clock.Now()
	m := &loop.Member{ID: loop.NewMemberID(c.clock), Name: "Ada", Email: loop.Email(fmt.Sprintf("ada%d@members.example", i)), Locale: "en", CreatedAt: now, UpdatedAt: now}
	check(t, c.AddMember(t.Context(), m, "hash", nil, c.record()))
	grant := &loop.Grant{ID: loop.NewGrantID(c.clock), Member: m.ID, Client: app.ID, Scopes: app.AllowedScopes, CreatedAt: now, UpdatedAt: now}
	chain := &loop.Chain{
		ID: loop.NewChainID(c.clock), Grant: grant.ID, Member: m.ID, Client: app.ID, Scopes: grant.Scopes, Generation: 1,
		Authentication: loop.Authentication{At: now, Methods: loop.ByPassword}, RotatedAt: now, CreatedAt: now, IdleExpiresAt: now.Add(loop.RefreshTokenIdle),
	}
	check(t, c.Decide(t.Context(), oauth.Subject{Member: m.ID, Client: app.ID}, func(oauth.State) (oauth.Change, error) {
		return oauth.Change{Grant: grant, Chain: chain, Keep: 5}, nil
	}))
	c.chains = append(c.chains, chain)
}

func (c *crowd) record() audit.Record {
	return audit.Record{At: c.clock.Now(), Event: audit.TokenRefreshed, Actor: audit.Actor{Kind: audit.BySystem}}
}

func (c *crowd) subject(i int) oauth.Subject {
	return oauth.Subject{Member: c.chains[i].Member, Client: c.chains[i].Client, Chain: c.chains[i].ID}
}

// rotation is a decision that brings a chain to its next generation.
func (c *crowd) rotation(i int) postgres.Decision {
	return postgres.Decision{Subject: c.subject(i), Decide: func(st oauth.State) (oauth.Change, error) {
		next := *st.Chain
		next.Generation++
		return oauth.Change{Chain: &next, Records: []audit.Record{c.record()}}, nil
	}}
}

func (c *crowd) rotations() (all []postgres.Decision) {
	for i := range c.chains {
		all = append(all, c.rotation(i))
	}
	return all
}

// wantGenerations reads the chains, and looks whether the record holds together.
func (c *crowd) wantGenerations(t *testing.T, want ...int64) {
	t.Helper()
	for i, chain := range c.chains {
		if stored, err := c.Chain(t.Context(), chain.Member, chain.ID); err != nil || stored.Generation != want[i] {
			t.Errorf("chain %d is at %+v, %v; want generation %d", i, stored, err, want[i])
		}
	}
	lanes, err := c.db.Lanes(t.Context())
	check(t, err)
	for _, lane := range lanes {
		var before audit.Row
		check(t, c.db.EachRow(t.Context(), lane, func(row audit.Row) error {
			if row.Number != before.Number+1 || before.Number > 0 && string(row.Previous) != string(before.Hash) {
				t.Errorf("record %d of %s does not follow record %d", row.Number, lane, before.Number)
			}
			before = row
			return nil
		}))
	}
}

func TestDecide_WhatComesTogetherTakesOneCommit(t *testing.T) {
	t.Parallel()
	c := newCrowd(t, 5)
	for _, answer := range c.DecideTogether(t.Context(), c.rotations()...) {
		check(t, <-answer)
	}
	if commit := <-c.commits; commit.Acts != 5 || commit.Failed {
		t.Errorf("the commit is %+v", commit)
	}
	c.wantGenerations(t, 2, 2, 2, 2, 2)
}

// Promise: of two decisions about one member that wait together, the second finds what
// the first has written.
func TestDecide_AboutOneMemberFollowEachOther(t *testing.T) {
	t.Parallel()
	c := newCrowd(t, 1)
	for _, answer := range c.DecideTogether(t.Context(), c.rotation(0), c.rotation(0), c.rotation(0)) {
		check(t, <-answer)
	}
	c.wantGenerations(t, 4)
}

var errOwn = errors.New("refused")

// Promise: what one decision comes to is no affair of those beside it.
func TestSec501_ADecisionThatFailsLeavesThoseBesideItAlone(t *testing.T) {
	t.Parallel()
	for name, faulty := range map[string]struct {
		decide func(oauth.State) (oauth.Change, error)
		means  func(error) bool
	}{
		"refused": {
			func(oauth.State) (oauth.Change, error) { return oauth.Change{}, errOwn },
			func(err error) bool { return errors.Is(err, errOwn) },
		},
		"panic": {
			func(oauth.State) (oauth.Change, error) { panic("no") },
			func(err error) bool { return err != nil },
		},
		"a chain that is not as it was read": {
			func(st oauth.State) (oauth.Change, error) {
				next := *st.Chain
				st.Chain.Generation = 7
				return oauth.Change{Chain: &next}, nil
			},
			func(err error) bool {
				public, ok := errors.AsType[*loop.Error](err)
				return ok && public.Code == loop.TemporarilyUnavailable && public.RetryAfter > 0
			},
		},
		"a statement that the server refuses": {
			func(st oauth.State) (oauth.Change, error) {
				next := *st.Chain
				next.RotatedKey = "\x00" // no text on PostgreSQL
				return oauth.Change{Chain: &next}, nil
			},
			func(err error) bool { return err != nil },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCrowd(t, 3)
			all := c.rotations()
			all[1].Decide = faulty.decide
			answers := c.DecideTogether(t.Context(), all...)
			check(t, <-answers[0])
			if err := <-answers[1]; !faulty.means(err) {
				t.Errorf("the one that fails is answered %v", err)
			}
			check(t, <-answers[2])
			c.wantGenerations(t, 2, 1, 2)
		})
	}
}

// Promise: who has to wait for somebody's lock holds up nobody.
func TestSec501_ADecisionThatWaitsHoldsUpNobody(t *testing.T) {
	t.Parallel()
	for name, lock := range map[string]string{
		"another decision on the same": `SELECT pg_advisory_xact_lock(hashtextextended(member_id || ' ' || client_id, 0)) FROM identity.chains WHERE id = $1`,
		"a row":                        `SELECT 1 FROM identity.chains WHERE id = $1 FOR UPDATE`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCrowd(t, 3)
			conn := connect(t, c.config.URL)
			tx, err := conn.Begin(t.Context())
			check(t, err)
			_, err = tx.Exec(t.Context(), lock, c.chains[1].ID)
			check(t, err)
			answers := c.DecideTogether(t.Context(), c.rotations()...)
			check(t, <-answers[0])
			check(t, <-answers[2])
			select {
			case err := <-answers[1]:
				t.Errorf("the one that waits is answered %v", err)
			default:
			}
			check(t, tx.Rollback(t.Context()))
			check(t, <-answers[1])
			c.wantGenerations(t, 2, 2, 2)
		})
	}
}

// Promise: what a consent issues along with what it revokes is good, whatever a
// neighbour revokes: it has the number of its own revocation.
func TestDecide_WhatAConsentRevokesAndIssuesHasOneNumber(t *testing.T) {
	t.Parallel()
	c := newCrowd(t, 2)
	token := loop.Revocation{Kind: loop.RevokeToken, ID: "at_1", ExpiresAt: c.clock.Now().Add(time.Hour)}
	var issued uint64
	answers := c.DecideTogether(t.Context(),
		postgres.Decision{Subject: c.subject(0), Decide: func(oauth.State) (oauth.Change, error) {
			return oauth.Change{Revoke: []loop.Revocation{token}, Records: []audit.Record{c.record()}}, nil
		}},
		postgres.Decision{Subject: c.subject(1), Decide: func(st oauth.State) (oauth.Change, error) {
			issued = st.Counter + 1
			narrowed := loop.Revocation{Kind: loop.RevokeGrant, ID: string(st.Grant.ID), ExpiresAt: token.ExpiresAt}
			return oauth.Change{Grant: st.Grant, Revoke: []loop.Revocation{narrowed}, Records: []audit.Record{c.record()}}, nil
		}})
	check(t, <-answers[0])
	check(t, <-answers[1])
	if at, err := c.Epoch(t.Context()); err != nil || at.Counter != issued {
		t.Errorf("the consent's own revocation is number %d, %v, and what it issued counts on %d", at.Counter, err, issued)
	}
}

// Promise: who has gone away is not decided for, and the others are.
func TestDecide_WhoHasGoneIsLeftOut(t *testing.T) {
	t.Parallel()
	c := newCrowd(t, 1)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Decide(gone, c.subject(0), c.rotation(0).Decide); err == nil {
		t.Error("it was decided for one who has gone")
	}
	c.wantGenerations(t, 1)
}
