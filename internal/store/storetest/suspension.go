package storetest

import (
	"sync"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/registration"
)

// suspend writes that the fixture's member is suspended, or reinstated.
func (f *fixture) suspend(t *testing.T, suspended bool) {
	t.Helper()
	must(t, f.store.ChangeMember(t.Context(), f.member.ID, silent, func(m *loop.Member) (member.Change, error) {
		m.Suspended = suspended
		if !suspended {
			return member.Change{}, nil
		}
		return member.Change{Revocations: []loop.Revocation{{Kind: loop.RevokeMember, ID: string(m.ID), ExpiresAt: f.world.Now().Add(time.Hour)}}}, nil
	}))
}

// app adds an app of the fixture's member.
func (f *fixture) app(t *testing.T) *loop.Client {
	t.Helper()
	c := registration.New()
	c.ID, c.Name, c.Owner = loop.NewClientID(f.world), "Evening Labs", f.member.ID
	c.CreatedAt, c.UpdatedAt = f.world.Now(), f.world.Now()
	must(t, f.store.AddClient(t.Context(), c, registration.Terms{}, f.record()))
	return c
}

// standing is how an app stands for whoever reads it, however they do.
func (f *fixture) standing(t *testing.T, id loop.ClientID) loop.Standing {
	t.Helper()
	read, err := f.store.Client(t.Context(), id)
	must(t, err)
	all, err := f.store.Clients(t.Context())
	must(t, err)
	must(t, f.store.Decide(t.Context(), oauth.Subject{Client: id}, func(st oauth.State) (oauth.Change, error) {
		if st.Client.Standing() != read.Standing() {
			t.Errorf("a decision finds %q, a reader %q", st.Client.Standing(), read.Standing())
		}
		return oauth.Change{}, nil
	}))
	for _, listed := range all {
		if listed.ID == id && listed.Standing() != read.Standing() {
			t.Errorf("the list has %q, a reader %q", listed.Standing(), read.Standing())
		}
	}
	return read.Standing()
}

func stopsApps(t *testing.T, f *fixture) {
	before := f.app(t)
	if got := f.standing(t, before.ID); got != loop.Works {
		t.Errorf("at first: %q", got)
	}
	counter := f.counter(t)
	f.suspend(t, true)
	if got := f.standing(t, before.ID); got != loop.DeveloperSuspended {
		t.Errorf("with its developer suspended: %q", got)
	}
	if now := f.counter(t); now < counter+2 {
		t.Errorf("the member's tokens end and not the app's: the counter went from %d to %d", counter, now)
	}
	if got := f.standing(t, f.app(t).ID); got != loop.DeveloperSuspended {
		t.Errorf("one that a suspended developer adds: %q", got)
	}
	must(t, f.store.ChangeClient(t.Context(), before.ID, registration.Terms{}, func(c *loop.Client) ([]loop.Revocation, []audit.Record, error) {
		c.Name, c.OwnerSuspended = "Other Labs", false
		return nil, nil, nil
	}))
	if got := f.standing(t, before.ID); got != loop.DeveloperSuspended {
		t.Errorf("after a change of the app: %q", got)
	}
	if got := f.standing(t, f.client.ID); got != loop.Works {
		t.Errorf("an app of somebody else: %q", got)
	}
	f.suspend(t, false)
	if got := f.standing(t, before.ID); got != loop.Works {
		t.Errorf("with its developer reinstated: %q", got)
	}
}

// stopsAppsAmongOthers suspends while the developer adds and changes apps, and others
// read them.
func stopsAppsAmongOthers(t *testing.T, f *fixture) {
	apps := []*loop.Client{f.app(t)}
	first := apps[0].ID
	var (
		mu  sync.Mutex
		all sync.WaitGroup
	)
	for range 8 {
		all.Go(func() {
			added := f.app(t)
			mu.Lock()
			defer mu.Unlock()
			apps = append(apps, added)
		})
		all.Go(func() {
			must(t, f.store.ChangeClient(t.Context(), first, registration.Terms{}, func(c *loop.Client) ([]loop.Revocation, []audit.Record, error) {
				c.RefreshGrace += time.Second
				return nil, nil, nil
			}))
			_, err := f.store.Client(t.Context(), first)
			must(t, err)
		})
	}
	all.Go(func() { f.suspend(t, true) })
	all.Wait()
	for _, app := range apps {
		if got := f.standing(t, app.ID); got != loop.DeveloperSuspended {
			t.Errorf("%s outlives the suspension: %q", app.ID, got)
		}
	}
}

// counter is the counter of revocations.
func (f *fixture) counter(t *testing.T) (counter uint64) {
	t.Helper()
	must(t, f.store.Decide(t.Context(), f.subject(""), func(st oauth.State) (oauth.Change, error) {
		counter = st.Counter
		return oauth.Change{}, nil
	}))
	return counter
}
