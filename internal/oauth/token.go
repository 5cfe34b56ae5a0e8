package oauth

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// TokenResponse is the answer of the token endpoint (RFC 6749 §5.1, OpenID
// Connect Core §3.1.3.3).
type TokenResponse struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"` // seconds
	RefreshToken string `json:"refresh_token"`
	Scope        string `json:"scope"`
	IDToken      string `json:"id_token,omitempty"`
}

// GrantType is a way to get tokens (RFC 6749 §1.3).
type GrantType string

// The grant types on offer.
const (
	GrantAuthorizationCode GrantType = "authorization_code"
	GrantRefreshToken      GrantType = "refresh_token"
)

// grantType is one way to get tokens, for a client that has been authenticated.
type grantType func(s *Server, ctx context.Context, client *loop.Client, form url.Values) (*TokenResponse, error)

// grantTypes is where a further grant type is registered.
func grantTypes() map[GrantType]grantType {
	return map[GrantType]grantType{
		GrantAuthorizationCode: (*Server).redeemCode,
		GrantRefreshToken:      (*Server).refresh,
	}
}

// Exchange answers a request to the token endpoint: the client is authenticated
// before anything else is looked at, then the grant type has its turn. The
// client is given even with an error, once it has been proven.
func (s *Server) Exchange(ctx context.Context, authorization []string, form url.Values) (*TokenResponse, loop.ClientID, error) {
	sent, err := readClientCredentials(authorization, form)
	if err != nil {
		return nil, "", err
	}
	client, err := s.authenticate(ctx, sent)
	if err != nil {
		return nil, "", err
	}
	if err := noDuplicates(form); err != nil {
		return nil, client.ID, err
	}
	name := form.Get("grant_type")
	if name == "" {
		return nil, client.ID, loop.Errorf(loop.InvalidRequest, "The grant_type is missing. Send authorization_code or refresh_token.").About("grant_type")
	}
	grant, ok := grantTypes()[GrantType(name)]
	if !ok {
		return nil, client.ID, loop.Errorf(loop.UnsupportedGrantType, "The grant_type must be authorization_code or refresh_token.").About("grant_type")
	}
	response, err := grant(s, ctx, client, form)
	return response, client.ID, err
}

// issue makes the tokens that a chain stands for now. Scopes are the access
// token's, which may be fewer than the chain's.
func (s *Server) issue(client *loop.Client, chain *loop.Chain, scopes loop.Scopes, counter uint64) (*TokenResponse, error) {
	now := s.World.Now()
	access := s.sealAccessToken(AccessToken{
		Member: chain.Member, Client: chain.Client, Grant: chain.Grant, Chain: chain.ID,
		Scopes: scopes, IssuedAt: now, ExpiresAt: now.Add(client.AccessTokenTTL), Counter: counter,
	}).Reveal()
	refresh, err := s.sealRefreshToken(chain)
	if err != nil {
		return nil, err
	}
	return &TokenResponse{
		AccessToken:  access,
		TokenType:    "Bearer",
		ExpiresIn:    int64(client.AccessTokenTTL / time.Second),
		RefreshToken: refresh.Reveal(),
		Scope:        scopes.String(),
	}, nil
}

// covered is what of the scopes still stands: within the member's consent as it
// is now, the client's registration as it is now, and what the app may see.
func covered(scopes loop.Scopes, st State) loop.Scopes {
	scopes = scopes.And(st.Grant.Scopes).And(st.Client.AllowedScopes)
	if !st.Client.MaySee(st.Member) {
		scopes = scopes.Without(scopes.PHI())
	}
	return scopes
}

// standing reports why nothing can be issued under the grant any more; empty
// where it can.
func standing(st State) (fault string) {
	switch {
	case st.Client == nil || !st.Client.Enabled:
		return "client disabled"
	case st.Member == nil || st.Member.Suspended:
		return "member suspended"
	case st.Grant == nil || !st.Grant.Live():
		return "grant revoked"
	}
	return ""
}

// required reads a parameter that must be there.
func required(form url.Values, name string) (string, error) {
	value := form.Get(name)
	if strings.TrimSpace(value) == "" {
		return "", loop.Errorf(loop.InvalidRequest, "The %s is missing.", name).About(name)
	}
	return value, nil
}
