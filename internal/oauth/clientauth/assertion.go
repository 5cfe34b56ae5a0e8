package clientauth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/clientjwt"
	"github.com/loop-health/loop/internal/oauth/parameter"
)

// assertionType is the one kind of client_assertion (RFC 7523 §2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// maxAssertionLife bounds how long an assertion may say that it works, and so
// how long we have to remember that it was used.
const maxAssertionLife = time.Hour

// ErrUsed is returned where something that works once was used before.
var ErrUsed = errors.New("used before")

// Assertions remembers which client assertions were used.
type Assertions interface {
	// UseAssertion notes that the client used the jti with this hash, durably;
	// ErrUsed where it did before. It may be forgotten after it has expired.
	UseAssertion(ctx context.Context, client loop.ClientID, hash [32]byte, expiresAt time.Time) error
}

// privateKeyJWT is private_key_jwt: an assertion signed with a key that the
// client registered (RFC 7523 §3, OpenID Connect Core §9).
var privateKeyJWT = method{
	presented: func(req Request) bool {
		return req.Form.Has("client_assertion") || req.Form.Has("client_assertion_type")
	},
	names: func(req Request) (loop.ClientID, error) {
		kind, kindErr := parameter.Single(req.Form, "client_assertion_type")
		text, textErr := parameter.Single(req.Form, "client_assertion")
		named, namedErr := parameter.Single(req.Form, "client_id")
		if err := errors.Join(kindErr, textErr, namedErr); err != nil {
			return "", err
		}
		if kind != assertionType {
			return "", refusedAssertion("the client_assertion_type must be " + assertionType)
		}
		subject, err := assertionSubject(text)
		if err == nil && named != "" && loop.ClientID(named) != subject {
			err = refusedAssertion("its sub is not the client_id of the form")
		}
		return subject, err
	},
	proves: func(a *Authenticator, ctx context.Context, client *loop.Client, req Request) error {
		return a.provesAssertion(ctx, client, req.Form.Get("client_assertion"), req.URLs)
	},
}

func refusedAssertion(why string) error {
	return loop.Errorf(loop.InvalidClient, "The client_assertion is refused: %s.", why).About("client_assertion")
}

// assertionClaims are the claims of RFC 7523 §3.
type assertionClaims struct {
	Issuer    string             `json:"iss"`
	Subject   string             `json:"sub"`
	Audience  any                `json:"aud"`
	ID        string             `json:"jti"`
	ExpiresAt *clientjwt.Seconds `json:"exp"`
	IssuedAt  *clientjwt.Seconds `json:"iat"`
	NotBefore *clientjwt.Seconds `json:"nbf"`
}

// assertionSubject reads, before anything is proven, who the assertion says it
// is from.
func assertionSubject(text string) (loop.ClientID, error) {
	parts := strings.Split(text, ".")
	if len(text) > clientjwt.MaxLength || len(parts) != 3 {
		return "", refusedAssertion("it is not a signed JWT")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims assertionClaims
	if err != nil || clientjwt.DecodeClaims(payload, &claims) != nil || claims.Subject == "" {
		return "", refusedAssertion("it has no sub, or is not a signed JWT")
	}
	return loop.ClientID(claims.Subject), nil
}

// provesAssertion verifies an assertion and uses it up. What the signature does
// not hold for is never stored.
func (a *Authenticator) provesAssertion(ctx context.Context, client *loop.Client, text string, urls []string) error {
	if client.Protocol.AuthMethod != loop.AuthPrivateKeyJWT {
		return ErrInvalid
	}
	payload, err := a.Keys.Open(ctx, client, text, "JWT", "client-authentication+jwt")
	if err != nil {
		return assertionFault(err)
	}
	var claims assertionClaims
	if err := clientjwt.DecodeClaims(payload, &claims); err != nil {
		return refusedAssertion("its claims are not well formed")
	}
	if fault := claims.fault(client, a.audiences(client, urls), a.World.Now()); fault != "" {
		return refusedAssertion(fault)
	}
	err = a.Assertions.UseAssertion(ctx, client.ID, sha256.Sum256([]byte(claims.ID)), claims.ExpiresAt.Time().Add(clientjwt.MaxSkew))
	if errors.Is(err, ErrUsed) {
		return refusedAssertion("its jti was used before; make a new assertion for each request")
	}
	return err
}

// audiences are the values that aud of an assertion may have, as one string: an
// array, or another server's address, is how an assertion made for one server is
// used at another.
func (a *Authenticator) audiences(client *loop.Client, urls []string) []string {
	audiences := []string{a.Issuer}
	if client.Protocol.Profile.Rules().IssuerOnly {
		return audiences
	}
	for _, url := range slices.Concat(a.TokenURLs, urls) {
		if !slices.Contains(audiences, url) {
			audiences = append(audiences, url)
		}
	}
	return audiences
}

// assertionFault refuses an assertion for what is wrong with the JWT itself.
func assertionFault(err error) error {
	if bad, ok := errors.AsType[clientjwt.Fault](err); ok {
		refused := loop.AsError(refusedAssertion(bad.Error()))
		return refused.Because(err)
	}
	return err
}

// fault says what is wrong with the claims; empty where nothing is.
func (c *assertionClaims) fault(client *loop.Client, audiences []string, now time.Time) string {
	audience, one := c.Audience.(string)
	switch {
	case c.Issuer != string(client.ID) || c.Subject != string(client.ID):
		return "iss and sub must both be the client_id"
	case !one || !slices.Contains(audiences, audience):
		return "aud must be " + strings.Join(audiences, " or ") + ", as one string"
	case c.ID == "" || len(c.ID) > 256:
		return "it needs a jti of at most 256 characters"
	case c.ExpiresAt == nil:
		return "it has no exp"
	case !now.Before(c.ExpiresAt.Time()):
		return "it has expired"
	case c.ExpiresAt.Time().After(now.Add(maxAssertionLife + clientjwt.MaxSkew)):
		return "its exp is more than an hour away"
	case c.IssuedAt.After(now.Add(clientjwt.MaxSkew)) || c.NotBefore.After(now.Add(clientjwt.MaxSkew)):
		return "its iat or nbf is in the future: check your clock"
	}
	return ""
}
