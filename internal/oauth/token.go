package oauth

import (
	"context"
	"net/url"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/clientauth"
	"github.com/loop-health/loop/internal/oauth/possession"
)

// TokenResponse is the answer of the token endpoint (RFC 6749 §5.1, OpenID
// Connect Core §3.1.3.3).
type TokenResponse struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"` // seconds
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope"`
	IDToken      string `json:"id_token,omitempty"`
	Patient      string `json:"patient,omitempty"` // the member's resource (SMART App Launch 2.2 §2.0.10.3)
}

// TokenRequest is a request to the token endpoint whose client is proven.
type TokenRequest struct {
	Client  *loop.Client
	Form    url.Values
	Binding possession.Binding
}

// grantType is one way to get tokens, for a client that has been authenticated.
type grantType func(s *Server, ctx context.Context, req TokenRequest) (*TokenResponse, error)

// grantTypes is where a further grant type is registered.
func grantTypes() map[loop.GrantType]grantType {
	return map[loop.GrantType]grantType{
		loop.GrantAuthorizationCode: (*Server).redeemCode,
		loop.GrantRefreshToken:      (*Server).refresh,
		loop.GrantClientCredentials: (*Server).issueToService,
	}
}

// Exchange answers a request to the token endpoint of a client that Authenticate
// has proven (RFC 6749 §3.2).
func (s *Server) Exchange(ctx context.Context, client *loop.Client, req clientauth.Request) (*TokenResponse, error) {
	name := loop.GrantType(req.Form.Get("grant_type"))
	if name == "" {
		return nil, loop.Errorf(loop.InvalidRequest, "The grant_type is missing. Send authorization_code, refresh_token or client_credentials.").About("grant_type")
	}
	grant, ok := grantTypes()[name]
	if !ok {
		return nil, loop.Errorf(loop.UnsupportedGrantType, "The grant_type must be authorization_code, refresh_token or client_credentials.").About("grant_type")
	}
	if !client.MayUse(name) {
		return nil, loop.Errorf(loop.UnauthorizedClient, "This client is not registered for the grant type %s. An operator sets the grant types of an app.", name).About("grant_type")
	}
	binding, proof, err := s.Possession.Bind(client, req.Evidence)
	if err != nil {
		return nil, err
	}
	var response *TokenResponse
	err = s.Possession.Once(client, proof, func() error {
		response, err = grant(s, ctx, TokenRequest{Client: client, Form: req.Form, Binding: binding})
		return err
	})
	return response, err
}

// stillGranted is what of the scopes still stands: within the member's consent as it
// is now, the client's registration as it is now, and what the app may see.
func stillGranted(scopes loop.Scopes, st State) loop.Scopes {
	scopes = scopes.And(st.Grant.Scopes).And(st.Client.AllowedScopes)
	if !st.Client.MaySee(st.Member) {
		scopes = scopes.Without(scopes.PHI())
	}
	return scopes
}

// endedReason reports why nothing can be issued under the grant any more; empty
// where it can.
func endedReason(st State, now time.Time) (fault string) {
	switch {
	case st.Client == nil:
		return string(loop.Disabled)
	case st.Client.Standing() != loop.Works:
		return string(st.Client.Standing())
	case st.Member == nil || st.Member.Suspended:
		return "member suspended"
	case st.Grant == nil || !st.Grant.RevokedAt.IsZero():
		return "grant revoked"
	case st.Grant.Over(now):
		return "grant over"
	}
	return ""
}
