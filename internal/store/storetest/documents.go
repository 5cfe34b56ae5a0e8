package storetest

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/registration"
)

// described is a client that is known by its document, and its first grant to somebody.
func (f *fixture) described(of loop.MemberID) (*loop.Client, *loop.Grant) {
	now := f.world.Now()
	c := registration.New()
	c.ID, c.Name, c.Type, c.RedirectURIs = "https://app.example.com/client.json", "Night Assistant", loop.Public, []loop.RedirectURI{"https://app.example.com/cb"}
	c.CreatedAt, c.UpdatedAt = now, now
	c.Registration = loop.Registration{By: loop.RegisteredByDocument, FetchedAt: now}
	return c, &loop.Grant{ID: loop.NewGrantID(f.world), Member: of, Client: c.ID, Scopes: c.AllowedScopes, CreatedAt: now, UpdatedAt: now}
}

func keepsWithGrant(t *testing.T, f *fixture) {
	now := f.world.Now()
	ben := &loop.Member{ID: loop.NewMemberID(f.world), Name: "Ben", Email: "ben@members.example", Locale: "en", CreatedAt: now, UpdatedAt: now}
	must(t, f.store.AddMember(t.Context(), ben, "hash", nil, f.record()))
	client, _ := f.described(ben.ID)
	if _, err := f.store.Client(t.Context(), client.ID); !errors.Is(err, loop.ErrNotFound) {
		t.Fatalf("it is there before: %v", err)
	}
	var all sync.WaitGroup
	for _, m := range []loop.MemberID{f.member.ID, ben.ID} {
		all.Go(func() {
			kept, grant := f.described(m)
			err := f.store.Decide(t.Context(), oauth.Subject{Member: m, Client: kept.ID}, func(oauth.State) (oauth.Change, error) {
				return oauth.Change{Client: kept, Grant: grant}, nil // as though neither saw the other's
			})
			if err != nil {
				t.Errorf("of two members' first grants, one fails: %v", err)
			}
		})
	}
	all.Wait()
	for _, m := range []loop.MemberID{f.member.ID, ben.ID} {
		if grant, err := f.store.LiveGrant(t.Context(), m, client.ID); err != nil || grant == nil {
			t.Errorf("the grant is %+v, %v", grant, err)
		}
	}
	stored, err := f.store.Client(t.Context(), client.ID)
	must(t, err)
	if diff := cmp.Diff(client.Registration.By, stored.Registration.By); diff != "" || stored.Name != client.Name || stored.Registration.FetchedAt.IsZero() {
		t.Errorf("it reads as %+v", stored)
	}
}

func findsUnused(t *testing.T, f *fixture) {
	now := f.world.Now()
	add := func(by loop.Registrar, at time.Time) *loop.Client {
		c := registration.New()
		c.ID, c.Name, c.RedirectURIs = loop.NewClientID(f.world), "Night Assistant", []loop.RedirectURI{"http://localhost/cb"}
		c.CreatedAt, c.UpdatedAt, c.Registration.By = at, at, by
		must(t, f.store.AddClient(t.Context(), c, registration.Terms{}, f.record()))
		return c
	}
	add(loop.RegisteredByPeople, now.Add(-time.Hour))
	add(loop.RegisteredByItself, now)
	used, unused, ended := add(loop.RegisteredByItself, now.Add(-3*time.Hour)), add(loop.RegisteredByItself, now.Add(-2*time.Hour)), add(loop.RegisteredByItself, now.Add(-time.Hour))
	for _, c := range []*loop.Client{used, ended} {
		grant := &loop.Grant{ID: loop.NewGrantID(f.world), Member: f.member.ID, Client: c.ID, CreatedAt: now, UpdatedAt: now}
		if c == ended {
			grant.RevokedAt = now
		}
		must(t, f.store.Decide(t.Context(), oauth.Subject{Member: f.member.ID, Client: c.ID}, func(oauth.State) (oauth.Change, error) { return oauth.Change{Grant: grant}, nil }))
	}
	for atMost, want := range map[int][]loop.ClientID{10: {unused.ID, ended.ID}, 1: {unused.ID}} {
		if got, err := f.store.UnusedClients(t.Context(), now.Add(-time.Hour), atMost); err != nil || !slices.Equal(got, want) {
			t.Errorf("at most %d: %v, %v, want %v", atMost, got, err, want)
		}
	}
}
