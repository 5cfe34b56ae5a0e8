package storetest

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/registration"
)

// newApp is an app of the fixture's member that is not stored yet.
func (f *fixture) newApp() *loop.Client {
	c := f.client.Clone()
	c.ID, c.Owner = loop.NewClientID(f.world), f.member.ID
	return c
}

// newForm is a form of this hash.
func (f *fixture) newForm(hash byte, about loop.ClientID) *registration.Form {
	now := f.world.Now()
	return &registration.Form{Hash: [32]byte{hash}, Content: [32]byte{1, hash}, Client: about, SentAt: now, ExpiresAt: now.Add(time.Hour)}
}

// addsWhileThereIsRoom: the count and the insert are one act.
func addsWhileThereIsRoom(t *testing.T, f *fixture) {
	const room = 7
	var (
		added atomic.Int32
		all   sync.WaitGroup
	)
	for range 100 {
		all.Go(func() {
			err := f.store.AddClient(t.Context(), f.newApp(), registration.Terms{AtMost: room}, f.record())
			switch {
			case err == nil:
				added.Add(1)
			case !errors.Is(err, registration.ErrTooMany):
				t.Error(err)
			}
		})
	}
	all.Wait()
	apps, err := f.store.ClientsOf(t.Context(), f.member.ID)
	if added.Load() != room || len(apps) != room || err != nil {
		t.Errorf("%d were added, %d are there, want %d (%v)", added.Load(), len(apps), room, err)
	}
	other := f.newApp()
	other.Owner = ""
	must(t, f.store.AddClient(t.Context(), other, registration.Terms{}, f.record()))
}

// oneForm: whoever sends a form again learns that, and what it did is there.
func oneForm(t *testing.T, f *fixture) {
	if _, err := f.store.SentForm(t.Context(), [32]byte{1}); !errors.Is(err, loop.ErrNotFound) {
		t.Errorf("a form that nobody sent: %v", err)
	}
	first := f.newApp()
	form := f.newForm(1, first.ID)
	if won := winners(t, is(registration.ErrSentBefore), func() error {
		c := first.Clone()
		c.ID = loop.NewClientID(f.world)
		return f.store.AddClient(t.Context(), c, registration.Terms{Form: form, AtMost: 1}, f.record())
	}); won != 1 {
		t.Errorf("one form added %d apps", won)
	}
	kept, err := f.store.SentForm(t.Context(), form.Hash)
	must(t, err)
	if diff := cmp.Diff(form, kept); diff != "" {
		t.Errorf("the form reads otherwise than it was written: %s", diff)
	}
	change := func(form *registration.Form, err error) error {
		return f.store.ChangeClient(t.Context(), f.client.ID, registration.Terms{Form: form}, func(c *loop.Client) ([]loop.Revocation, []audit.Record, error) {
			c.RefreshGrace += time.Second
			return nil, []audit.Record{f.record()}, err
		})
	}
	second := f.newForm(2, f.client.ID)
	if err := change(second, errRefused); !errors.Is(err, errRefused) {
		t.Errorf("an act that fails: %v", err)
	}
	if won := winners(t, is(registration.ErrSentBefore), func() error { return change(second, nil) }); won != 1 {
		t.Errorf("one form changed an app %d times", won)
	}
	c, err := f.store.Client(t.Context(), f.client.ID)
	must(t, err)
	if c.RefreshGrace != time.Second {
		t.Errorf("the app was changed to %s", c.RefreshGrace)
	}
}

// readsClientRecords: those of its registration, and of no other app.
func readsClientRecords(t *testing.T, f *fixture) {
	app := f.newApp()
	record := func(event audit.Event, after time.Duration) audit.Record {
		return audit.Record{
			At: f.world.Now().Add(after).Truncate(time.Microsecond), Event: event, Client: app.ID,
			Actor: audit.Actor{Kind: audit.ByMember, ID: string(f.member.ID)}, Detail: audit.Detail{"fields": "client_name"},
		}
	}
	made, redeemed, changed := record(audit.ClientCreated, 0), record(audit.CodeRedeemed, time.Second), record(audit.ClientUpdated, time.Second)
	must(t, f.store.AddClient(t.Context(), app, registration.Terms{}, made))
	must(t, f.store.ChangeClient(t.Context(), app.ID, registration.Terms{}, func(*loop.Client) ([]loop.Revocation, []audit.Record, error) {
		return nil, []audit.Record{redeemed, changed}, nil
	}))
	records, err := f.store.ClientRecords(t.Context(), app.ID, 10)
	must(t, err)
	if diff := cmp.Diff([]audit.Record{changed, made}, records); diff != "" {
		t.Error(diff)
	}
	of := func(owner loop.MemberID, since time.Time) int {
		records, err := f.store.OwnerRecords(t.Context(), owner, since, 10)
		must(t, err)
		return len(records)
	}
	if all, later, others := of(f.member.ID, made.At), of(f.member.ID, changed.At), of("user_other", time.Time{}); all != 2 || later != 1 || others != 0 {
		t.Errorf("the owner's are %d, and %d from the second on; somebody else's %d", all, later, others)
	}
	if newest, err := f.store.ClientRecords(t.Context(), app.ID, 1); err != nil || len(newest) != 1 || newest[0].Event != audit.ClientUpdated {
		t.Errorf("the newest one is %+v, %v", newest, err)
	}
}
