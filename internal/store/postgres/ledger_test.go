//go:build unix

package postgres_test

import (
	"context"
	"testing"

	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store/postgres"
)

// Promise: one service's requests do not wait for each other: while one is decided,
// another is decided and written.
func TestDecide_AboutAClientAloneWaitsForNobody(t *testing.T) {
	t.Parallel()
	config, w := migrated(t)
	db := open(t, postgres.Identity, config)
	s := postgres.NewIdentity(db, oauth.NewRevocations())
	presence, err := s.Serve(t.Context(), w, func(context.Context) error { return nil }, db)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(presence.Leave)
	service := oauth.Subject{Client: "client_1"}
	err = s.Decide(t.Context(), service, func(oauth.State) (oauth.Change, error) {
		return oauth.Change{}, s.Decide(t.Context(), service, func(oauth.State) (oauth.Change, error) { return oauth.Change{}, nil })
	})
	if err != nil {
		t.Errorf("a second one beside the first: %v", err)
	}
}
