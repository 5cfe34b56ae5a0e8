package oauth

import (
	"cmp"
	"context"
	"crypto/hmac"
	"encoding/json"
	"fmt"
	"mime"
	"strconv"
	"strings"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/clientauth"
	"github.com/loop-health/loop/internal/oauth/parameter"
	"github.com/loop-health/loop/internal/oauth/possession"
)

// Introspection is what a client learns of a token (RFC 7662 §2.2). Of one that
// is not active it learns nothing else.
type Introspection struct {
	Active    bool                `json:"active"`
	Scope     string              `json:"scope,omitempty"`
	Client    string              `json:"client_id,omitempty"`
	TokenType string              `json:"token_type,omitempty"`
	Expiry    int64               `json:"exp,omitempty"`
	IssuedAt  int64               `json:"iat,omitempty"`
	Subject   string              `json:"sub,omitempty"`
	Audience  []string            `json:"aud,omitempty"`
	Issuer    string              `json:"iss,omitempty"`
	ID        string              `json:"jti,omitempty"`
	AuthTime  int64               `json:"auth_time,omitempty"` // RFC 9470 §6.2
	ACR       loop.Context        `json:"acr,omitempty"`
	Binding   *possession.Binding `json:"cnf,omitempty"`
}

// errPublicIntrospects: anybody could ask in a public client's name.
var errPublicIntrospects = loop.Errorf(loop.InvalidClient, "Introspection is for clients that authenticate. A public client cannot.")

// Introspect reports to a client on a token that was issued to it, or that is meant
// for the resource server that it is (RFC 7662 §2). Of any other token, and of
// one that does not work, it says only that it is not active. Access tokens are
// judged without asking the store.
func (s *Server) Introspect(ctx context.Context, client *loop.Client, req clientauth.Request) (*Introspection, error) {
	if client.Type != loop.Confidential {
		return nil, errPublicIntrospects
	}
	text, err := parameter.Required(req.Form, "token")
	if err != nil {
		return nil, err
	}
	if token, err := s.Tokens.verifyAny(text); err == nil {
		return s.introspectAccess(client, token), nil
	}
	if token, ok := openRefreshToken(s.Ring, text); ok {
		return s.introspectRefresh(ctx, client, token)
	}
	return &Introspection{}, nil
}

func (s *Server) introspectAccess(client *loop.Client, token AccessToken) *Introspection {
	if token.Client != client.ID && !s.Resources.serves(client, token) {
		return &Introspection{}
	}
	answer := &Introspection{
		Active: true, Scope: token.scope(), Client: string(token.Client), TokenType: token.Binding.TokenType(),
		Expiry: token.ExpiresAt.Unix(), IssuedAt: token.IssuedAt.Unix(), Subject: string(token.Member),
		Audience: s.Resources.audience(token), Issuer: s.Issuer, ID: string(token.ID),
	}
	if token.Member == "" {
		answer.Subject = string(token.Client)
	} else {
		answer.AuthTime, answer.ACR = token.Authentication.At.Unix(), token.Authentication.Context()
	}
	if !token.Binding.None() {
		answer.Binding = &token.Binding
	}
	return answer
}

// introspectRefresh reports to a client on its own refresh token; nobody else has any
// business with it.
func (s *Server) introspectRefresh(ctx context.Context, client *loop.Client, token refreshToken) (*Introspection, error) {
	answer := &Introspection{}
	err := s.decide(ctx, Subject{Member: token.member, Client: client.ID, Chain: token.chain}, func(st State) (Change, error) {
		chain := st.Chain
		if chain == nil || chain.Client != client.ID ||
			token.generation > chain.Generation || token.generation < chain.Generation && client.Protocol.Profile.Rules().Rotates ||
			!hmac.Equal(token.mac, refreshMAC(s.Ring, chain, token.keyID, token.generation)) ||
			endedReason(st, s.World.Now()) != "" || !chain.Live(s.World.Now()) {
			return Change{}, nil
		}
		*answer = Introspection{
			Active: true, Scope: stillGranted(chain.Scopes, st).String(), Client: string(chain.Client),
			Expiry: loop.Earlier(chain.IdleExpiresAt, st.Grant.EndsAt).Unix(), IssuedAt: chain.RotatedAt.Unix(), Subject: string(chain.Member), Issuer: s.Issuer,
			AuthTime: chain.Authentication.At.Unix(), ACR: chain.Authentication.Context(),
		}
		return Change{}, nil
	})
	return answer, err
}

// introspectionJWT is the claims of a JWT answer (RFC 9701 §5).
type introspectionJWT struct {
	Issuer        string         `json:"iss"`
	Audience      string         `json:"aud"`
	IssuedAt      int64          `json:"iat"`
	Introspection *Introspection `json:"token_introspection"`
}

// SignIntrospection makes the JWT form of an answer, for the client that asked
// (RFC 9701 §5).
func (m *Minter) SignIntrospection(client *loop.Client, answer *Introspection) (string, error) {
	body, err := json.Marshal(introspectionJWT{Issuer: m.Issuer, Audience: audienceOf(client), IssuedAt: m.World.Now().Unix(), Introspection: answer})
	if err != nil {
		return "", fmt.Errorf("encoding an introspection: %w", err)
	}
	alg := client.Protocol.IntrospectionAlgorithm
	if alg == "" {
		alg = loop.ES256
	}
	return m.sign(alg, "token-introspection+jwt", body)
}

// audienceOf is how a resource server is named in what is signed for it.
func audienceOf(client *loop.Client) string {
	if client.Protocol.Resource != "" {
		return client.Protocol.Resource
	}
	return string(client.ID)
}

// WantsIntrospectionJWT reports whether an answer is to be a JWT: because the
// client registered an algorithm, or because the request asks for one (RFC 9701
// §4).
func WantsIntrospectionJWT(client *loop.Client, accept string) bool {
	if client.Protocol.IntrospectionAlgorithm != "" {
		return true
	}
	for media := range strings.SplitSeq(accept, ",") {
		kind, params, err := mime.ParseMediaType(media)
		if err == nil && kind == IntrospectionType && isAccepted(params["q"]) {
			return true
		}
	}
	return false
}

// isAccepted reports whether a weight is above zero; where none is given, it is one
// (RFC 9110 §12.4.2).
func isAccepted(weight string) bool {
	q, _ := strconv.ParseFloat(cmp.Or(weight, "1"), 64) // zero where it is no number
	return q > 0
}

// IntrospectionType is the media type of a JWT answer (RFC 9701 §4).
const IntrospectionType = "application/token-introspection+jwt"
