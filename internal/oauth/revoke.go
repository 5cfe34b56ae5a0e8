package oauth

import (
	"context"
	"crypto/hmac"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/clientauth"
	"github.com/loop-health/loop/internal/oauth/parameter"
)

// RevokeGrant ends a member's consent to an app with everything that came from
// it. NotFound where there is no such grant; one that has ended stays as it is.
func (s *Server) RevokeGrant(ctx context.Context, id loop.GrantID, by audit.Actor, reason string) error {
	return s.decide(ctx, Subject{Grant: id}, func(st State) (Change, error) {
		if st.Grant == nil {
			return Change{}, loop.Errorf(loop.NotFound, "There is no grant with this id.")
		}
		if !st.Grant.RevokedAt.IsZero() {
			return Change{}, nil
		}
		grant := *st.Grant
		grant.RevokedAt, grant.UpdatedAt, grant.Reason = s.World.Now(), s.World.Now(), reason
		rec := st.record(ctx, s.World.Now(), audit.GrantRevoked, by)
		rec.Detail = audit.Detail{"reason": reason}
		return Change{
			Grant:   &grant,
			Revoke:  []loop.Revocation{NewRevocation(s.World, loop.RevokeGrant, string(grant.ID))},
			Records: []audit.Record{rec},
		}, nil
	})
}

// RevokeToken ends a token that a client gives back (RFC 7009 §2.1): with a
// refresh token its chain and the access tokens of it, with an access token that
// token alone. A token that does not work, or is another client's, changes
// nothing and is no error.
func (s *Server) RevokeToken(ctx context.Context, client *loop.Client, req clientauth.Request) error {
	text, err := parameter.Required(req.Form, "token")
	if err != nil {
		return err
	}
	if token, ok := openRefreshToken(s.Ring, text); ok {
		return s.revokeChain(ctx, client, token)
	}
	if token, err := s.Tokens.verifyAny(text); err == nil && token.Client == client.ID {
		return s.revokeAccess(ctx, token)
	}
	return nil
}

// revokeChain ends the chain of a refresh token, whichever of the chain's tokens
// it is: who held an old one may end the new one too.
func (s *Server) revokeChain(ctx context.Context, client *loop.Client, token refreshToken) error {
	return s.decide(ctx, Subject{Member: token.member, Client: client.ID, Chain: token.chain}, func(st State) (Change, error) {
		chain := st.Chain
		if chain == nil || chain.Client != client.ID || chain.Ending == loop.EndingRevoked ||
			!hmac.Equal(token.mac, refreshMAC(s.Ring, chain, token.keyID, token.generation)) {
			return Change{}, nil
		}
		ended := *chain
		ended.EndedAt, ended.Ending = s.World.Now(), loop.EndingRevoked
		rec := st.record(ctx, s.World.Now(), audit.TokenRevoked, byClient(client))
		rec.Detail = audit.Detail{"chain": string(chain.ID)}
		return Change{
			Chain:   &ended,
			Revoke:  []loop.Revocation{NewRevocation(s.World, loop.RevokeChain, string(chain.ID))},
			Records: []audit.Record{rec},
		}, nil
	})
}

func (s *Server) revokeAccess(ctx context.Context, token AccessToken) error {
	return s.decide(ctx, Subject{Member: token.Member, Client: token.Client, Grant: token.Grant}, func(st State) (Change, error) {
		rec := st.record(ctx, s.World.Now(), audit.TokenRevoked, byClient(st.Client))
		rec.Detail = audit.Detail{"token": string(token.ID)}
		return Change{
			Revoke:  []loop.Revocation{NewRevocation(s.World, loop.RevokeToken, string(token.ID))},
			Records: []audit.Record{rec},
		}, nil
	})
}
