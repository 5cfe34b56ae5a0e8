package storetest

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/registration"
)

// keepsPictures: the picture that is shown stays until the one behind the next has
// come; a client's pictures are its own.
func keepsPictures(t *testing.T, f *fixture) {
	other := loop.NewClientID(f.world)
	must(t, f.store.PutPicture(t.Context(), other, "", "a", []byte("another's")))
	put := func(shown, hash string) {
		must(t, f.store.PutPicture(t.Context(), f.client.ID, shown, hash, []byte("png "+hash)))
	}
	kept := func(client loop.ClientID) (hashes []string) {
		for _, hash := range []string{"a", "b", "c"} {
			png, err := f.store.Picture(t.Context(), client, hash)
			if errors.Is(err, loop.ErrNotFound) {
				continue
			}
			must(t, err)
			if client == f.client.ID && !bytes.Equal(png, []byte("png "+hash)) {
				t.Errorf("%s reads %q", hash, png)
			}
			hashes = append(hashes, hash)
		}
		return hashes
	}
	for _, step := range []struct {
		shown, hash string
		want        []string
	}{{"", "a", []string{"a"}}, {"a", "b", []string{"a", "b"}}, {"a", "b", []string{"a", "b"}}, {"b", "c", []string{"b", "c"}}} {
		put(step.shown, step.hash)
		if got := kept(f.client.ID); !slices.Equal(got, step.want) {
			t.Errorf("after %q, with %q shown, there are %q", step.hash, step.shown, got)
		}
	}
	if got := kept(other); !slices.Equal(got, []string{"a"}) {
		t.Errorf("another client has %q", got)
	}
}

// sendsOnChange: a change of a client writes the messages of its terms, of the client
// as it is then, and one that fails writes none.
func sendsOnChange(t *testing.T, f *fixture) {
	terms := registration.Terms{Messages: func(c *loop.Client) []outbox.Message {
		return []outbox.Message{{ID: "test/" + c.Name, Kind: kind, Destination: string(c.ID), Payload: []byte(c.Name), DueAt: f.world.Now()}}
	}}
	rename := func(name string, refused error) error {
		return f.store.ChangeClient(t.Context(), f.client.ID, terms, func(c *loop.Client) ([]loop.Revocation, []audit.Record, error) {
			c.Name = name
			return nil, nil, refused
		})
	}
	must(t, rename("Evening Labs", nil))
	if err := rename("Night Labs", errRefused); !errors.Is(err, errRefused) {
		t.Errorf("a change that fails is %v", err)
	}
	app := f.newApp()
	app.Name = "Second"
	must(t, f.store.AddClient(t.Context(), app, terms, f.record()))
	var sent []string
	for _, d := range f.claim(t, 0, 10, 10) {
		sent = append(sent, d.ID)
	}
	slices.Sort(sent)
	if want := []string{"test/Evening Labs", "test/Second"}; !slices.Equal(sent, want) {
		t.Errorf("it sent %q, want %q", sent, want)
	}
}
