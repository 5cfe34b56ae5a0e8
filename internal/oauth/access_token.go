package oauth

import (
	"slices"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/possession"
)

// AccessToken is what an access token says. It has no row: it is sealed, and
// whoever holds the key ring can read it. A service's own token has no member,
// grant or chain.
type AccessToken struct {
	ID             loop.TokenID
	Member         loop.MemberID
	Client         loop.ClientID
	Grant          loop.GrantID
	Chain          loop.ChainID
	Scopes         loop.Scopes
	As             loop.ScopeRequest // the same, by the names that the app uses; without any: the registry's
	ServiceScopes  []string          // of the resource that a service's token is for
	Audience       []string          // resources it is meant for; none: this platform's own
	Binding        possession.Binding
	Authentication loop.Authentication // of the member
	IssuedAt       time.Time
	ExpiresAt      time.Time
	Counter        uint64 // of revocations, when it was issued
}

// scope is what the token opens, as on the wire.
func (t *AccessToken) scope() string {
	if len(t.ServiceScopes) > 0 {
		return strings.Join(t.ServiceScopes, " ")
	}
	return t.names().String()
}

// names are the token's scopes by the names that the app uses.
func (t *AccessToken) names() loop.ScopeRequest {
	names := t.As.And(t.Scopes).Within(t.Scopes)
	names.Offline = false // of the refresh token
	return names
}

// meantFor reports whether the token may be used at one of the platform's own
// resources.
func (t *AccessToken) meantFor(resource string) bool {
	return len(t.Audience) == 0 || slices.Contains(t.Audience, resource)
}

func (t *AccessToken) lineage() lineage {
	return lineage{t.Member, t.Client, t.Grant, t.Chain, t.ID, t.Counter}
}

// sealAccessToken gives the token its text.
func sealAccessToken(ring *credential.Ring, t AccessToken) credential.Secret {
	var p packer
	p.text(string(t.ID))
	p.text(string(t.Member))
	p.text(string(t.Client))
	p.text(string(t.Grant))
	p.text(string(t.Chain))
	p.text(t.names().String())
	p.text(strings.Join(t.ServiceScopes, " "))
	p.text(strings.Join(t.Audience, " "))
	p.text(t.Binding.Key)
	p.text(t.Binding.Certificate)
	p.moment(t.Authentication.At)
	p.moment(t.IssuedAt)
	p.moment(t.ExpiresAt)
	p.number(int64(t.Counter)) //nolint:gosec // G115: counts up from 0
	p.methods(t.Authentication)
	return credential.SecretOf(credential.AccessTokenPrefix.Form(ring.SealAlike(credential.ForAccessTokens, p)))
}

// openAccessToken reads what sealAccessToken wrote, and judges nothing.
func openAccessToken(ring *credential.Ring, text string) (AccessToken, bool) {
	sealed, ok := credential.AccessTokenPrefix.Parse(text)
	if !ok {
		return AccessToken{}, false
	}
	plain, _, err := ring.Open(credential.ForAccessTokens, sealed)
	if err != nil {
		return AccessToken{}, false
	}
	u := unpack(plain)
	token := AccessToken{
		ID:     loop.TokenID(u.text()),
		Member: loop.MemberID(u.text()),
		Client: loop.ClientID(u.text()),
		Grant:  loop.GrantID(u.text()),
		Chain:  loop.ChainID(u.text()),
	}
	token.As = loop.ReadScopeRequest(u.text())
	token.Scopes = token.As.Scopes()
	token.ServiceScopes = strings.Fields(u.text())
	token.Audience = strings.Fields(u.text())
	token.Binding = possession.Binding{Key: u.text(), Certificate: u.text()}
	token.Authentication.At, token.IssuedAt, token.ExpiresAt = u.moment(), u.moment(), u.moment()
	token.Counter = uint64(u.number()) //nolint:gosec // G115: written from a uint64
	u.methods(&token.Authentication)
	return token, u.done()
}
