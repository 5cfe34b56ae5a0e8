//go:build unix

package postgres_test

import (
	"testing"

	"github.com/loop-health/loop/internal/oauth"
)

// Promise: one service's requests do not wait for each other: while one is decided,
// another is decided and written.
func TestDecide_AboutAClientAloneWaitsForNobody(t *testing.T) {
	t.Parallel()
	config, w := migrated(t)
	s := serve(t, config, w)
	service := oauth.Subject{Client: "client_1"}
	err := s.Decide(t.Context(), service, func(oauth.State) (oauth.Change, error) {
		return oauth.Change{}, s.Decide(t.Context(), service, func(oauth.State) (oauth.Change, error) { return oauth.Change{}, nil })
	})
	if err != nil {
		t.Errorf("a second one beside the first: %v", err)
	}
}
