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
		given, err := c.Client(id, func() (*loop.Client, error) { return &loop.Client{ID: id}, nil })
		if held, _ := c.held(id); err != nil || given.ID != id || held == nil {
			t.Fatalf("client %d is %+v, %v, held as %+v", i, given, err, held)
		}
	}
	if c.Len() != maxCachedClients {
		t.Errorf("it holds %d clients, want %d", c.Len(), maxCachedClients)
	}
}
