package oauth

import (
	"time"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// AccessToken is what an access token says. It has no row: it is sealed, and
// whoever holds the key ring can read it.
type AccessToken struct {
	Member    loop.MemberID
	Client    loop.ClientID
	Grant     loop.GrantID
	Chain     loop.ChainID
	Scopes    loop.Scopes
	IssuedAt  time.Time
	ExpiresAt time.Time
	Counter   uint64 // of revocations, when it was issued
}

// sealAccessToken gives the token its text.
func (s *Server) sealAccessToken(t AccessToken) credential.Secret {
	var p packer
	p.text(string(t.Member))
	p.text(string(t.Client))
	p.text(string(t.Grant))
	p.text(string(t.Chain))
	p.text(t.Scopes.String())
	p.moment(t.IssuedAt)
	p.moment(t.ExpiresAt)
	p.number(int64(t.Counter)) //nolint:gosec // G115: counts up from 0
	return credential.SecretOf(credential.AccessTokenPrefix.Form(s.Ring.Seal(credential.ForAccessTokens, p)))
}

// errInvalidToken is all that the holder of a token that does not work learns.
var errInvalidToken = loop.Errorf(loop.InvalidToken, "The access token is not valid: it is malformed, expired or revoked. Refresh it, or send the member through authorization again.")

// VerifyAccessToken opens an access token and judges it: sealed by this
// platform, not expired, and nothing that it hangs from revoked. InvalidToken
// otherwise, without saying which (RFC 6750 §3.1).
func (s *Server) VerifyAccessToken(text string) (AccessToken, error) {
	token, ok := s.openAccessToken(text)
	if !ok || !s.World.Now().Before(token.ExpiresAt) {
		return AccessToken{}, errInvalidToken
	}
	if s.Revocations.end(bearings{token.Member, token.Client, token.Grant, token.Chain, token.Counter}) {
		return AccessToken{}, errInvalidToken
	}
	return token, nil
}

func (s *Server) openAccessToken(text string) (AccessToken, bool) {
	sealed, ok := credential.AccessTokenPrefix.Parse(text)
	if !ok {
		return AccessToken{}, false
	}
	plain, _, err := s.Ring.Open(credential.ForAccessTokens, sealed)
	if err != nil {
		return AccessToken{}, false
	}
	u := unpacker{rest: plain}
	token := AccessToken{
		Member: loop.MemberID(u.text()),
		Client: loop.ClientID(u.text()),
		Grant:  loop.GrantID(u.text()),
		Chain:  loop.ChainID(u.text()),
	}
	token.Scopes = loop.ReadScopes(u.text())
	token.IssuedAt, token.ExpiresAt = u.moment(), u.moment()
	token.Counter = uint64(u.number()) //nolint:gosec // G115: written from a uint64
	return token, u.done()
}
