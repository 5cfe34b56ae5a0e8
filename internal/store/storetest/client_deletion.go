package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/registration"
)

// deletions are the tests of what ends for good.
var deletions = map[string]func(*testing.T, *fixture){
	"a deleted app ends everywhere, and members' grants stay to be seen": deletesApp,
	"an app that is not there can't be deleted":                          deletesNoApp,
}

func (f *fixture) deleteApp(t *testing.T, id loop.ClientID) error {
	t.Helper()
	rec := f.record()
	rec.Event, rec.Client = audit.ClientDeleted, id
	return f.store.DeleteClient(t.Context(), id, oauth.NewRevocation(f.world, loop.RevokeClient, string(id)), rec)
}

func deletesApp(t *testing.T, f *fixture) {
	other := f.app(t)
	chain := f.start(t, 0, 1)
	secret := credential.NewSecret(f.world, credential.ClientSecretPrefix)
	must(t, f.store.ChangeClient(t.Context(), f.client.ID, registration.Terms{}, func(c *loop.Client) ([]loop.Revocation, []audit.Record, error) {
		c.Secrets = []loop.ClientSecret{{Hash: secret.Hash(), CreatedAt: f.world.Now()}}
		return nil, nil, nil
	}))
	must(t, f.store.PutPicture(t.Context(), f.client.ID, "", "hash", []byte("png")))
	must(t, f.deleteApp(t, f.client.ID))

	if _, err := f.store.Client(t.Context(), f.client.ID); !errors.Is(err, loop.ErrNotFound) {
		t.Errorf("the app is read: %v", err)
	}
	if _, err := f.store.Picture(t.Context(), f.client.ID, "hash"); !errors.Is(err, loop.ErrNotFound) {
		t.Errorf("its picture is read: %v", err)
	}
	for range 2 { // what has ended stays so
		must(t, f.store.EndGivenTo(t.Context(), f.client.ID, f.world.Now()))
	}
	if got := f.read(t, chain).Ending; got != loop.EndingRevoked {
		t.Errorf("the chain's ending is %q", got)
	}
	grants, err := f.store.Grants(t.Context(), f.member.ID)
	if err != nil || len(grants) != 1 || grants[0].Live(f.world.Now()) || grants[0].Reason == "" {
		t.Errorf("the grants are %+v, %v", grants, err)
	}
	if _, err := f.store.Client(t.Context(), other.ID); err != nil {
		t.Errorf("another app: %v", err)
	}
	// A new one of the same name takes nothing over.
	must(t, f.store.AddClient(t.Context(), f.client, registration.Terms{}, f.record()))
	if again, err := f.store.Client(t.Context(), f.client.ID); err != nil || again.HoldsSecret(secret.Hash(), f.world.Now().Add(time.Second)) {
		t.Errorf("the secret of before: %v, %v", again, err)
	}
}

func deletesNoApp(t *testing.T, f *fixture) {
	if err := f.deleteApp(t, loop.NewClientID(f.world)); !errors.Is(err, loop.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}
