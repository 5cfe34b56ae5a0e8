package oauth

import (
	"context"
	"errors"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/clientauth"
)

// NamePublicClient adds the client_id to a refresh of a public client that left it
// out: RFC 6749 §6 asks for none, and libraries of SMART App Launch send none. The
// refresh token says whose it is. A confidential client is not named by its token: it
// has to prove itself.
func (s *Server) NamePublicClient(ctx context.Context, req clientauth.Request) error {
	form := req.Form
	if form.Get("grant_type") != string(loop.GrantRefreshToken) || len(req.Authorization) > 0 ||
		form.Has("client_id") || form.Has("client_secret") || form.Has("client_assertion") {
		return nil
	}
	token, ok := openRefreshToken(s.Ring, form.Get("refresh_token"))
	if !ok {
		return nil
	}
	chain, err := s.Ledger.Chain(ctx, token.member, token.chain)
	if errors.Is(err, loop.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	client, err := s.Ledger.Client(ctx, chain.Client)
	if err != nil || client.Type != loop.Public {
		return ignoreNotFound(err)
	}
	form.Set("client_id", string(client.ID))
	return nil
}

func ignoreNotFound(err error) error {
	if errors.Is(err, loop.ErrNotFound) {
		return nil
	}
	return err
}
