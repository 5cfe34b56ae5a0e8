package store

import (
	"fmt"
	"testing"

	"github.com/loop-health/loop/internal/loop"
)

func TestClientCache_AClientBeyondTheBoundTakesAnothersPlace(t *testing.T) {
	t.Parallel()
	c := NewClientCache()
	for i := range maxCachedClients + 10 {
		id := loop.ClientID(fmt.Sprint("client_", i))
		given, err := c.Client(id, func() (RevisedClient, error) { return RevisedClient{Client: &loop.Client{ID: id}}, nil })
		if held, _ := c.held(id); err != nil || given.ID != id || held.Client == nil {
			t.Fatalf("client %d is %+v, %v, held as %+v", i, given, err, held)
		}
	}
	if c.Len() != maxCachedClients {
		t.Errorf("it holds %d clients, want %d", c.Len(), maxCachedClients)
	}
}

func TestClientCache_OfAnotherRevisionItIsReadAnew(t *testing.T) {
	t.Parallel()
	c := NewClientCache()
	reads := 0
	read := func(revision uint32) func() (RevisedClient, error) {
		return func() (RevisedClient, error) {
			reads++
			return RevisedClient{&loop.Client{ID: "client_a", Name: fmt.Sprint(revision)}, revision}, nil
		}
	}
	for _, step := range []struct {
		revision uint32
		reads    int
	}{{1, 1}, {1, 1}, {2, 2}, {2, 2}} {
		if client, err := c.ClientAt("client_a", step.revision, read(step.revision)); err != nil || client.Name != fmt.Sprint(step.revision) || reads != step.reads {
			t.Errorf("at revision %d it is %+v, %v after %d reads", step.revision, client, err, reads)
		}
	}
	if client, err := c.Client("client_a", read(3)); err != nil || client.Name != "2" {
		t.Errorf("who asks for no revision is given %+v, %v, not the one that is held", client, err)
	}
	c.Forget()
	if client, err := c.Client("client_a", read(3)); err != nil || client.Name != "3" {
		t.Errorf("after all is forgotten it is %+v, %v", client, err)
	}
}

func TestClientCache_OfTwoChangesAtOnceNeitherLeavesWhatWasThereBefore(t *testing.T) {
	t.Parallel()
	c := NewClientCache()
	named := func(name string) func() (RevisedClient, error) {
		return func() (RevisedClient, error) {
			return RevisedClient{Client: &loop.Client{ID: "client_a", Name: name}}, nil
		}
	}
	here := c.Change("client_a")
	c.Change("client_a")() // another process's, and it has ended
	if client, err := c.Client("client_a", named("before")); err != nil || client.Name != "before" {
		t.Errorf("until the change has ended it is %+v, %v", client, err)
	}
	here()
	if client, err := c.Client("client_a", named("after")); err != nil || client.Name != "after" {
		t.Errorf("behind the change it is %+v, %v", client, err)
	}
}
