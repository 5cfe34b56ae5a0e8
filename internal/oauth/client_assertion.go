package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	josejson "github.com/go-jose/go-jose/v4/json"

	"github.com/loop-health/loop/internal/loop"
)

// assertionType is the one kind of client_assertion (RFC 7523 §2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// maxAssertionLife bounds how long an assertion may say that it works, and so
// how long we have to remember that it was used.
const maxAssertionLife = time.Hour

// clockSkew is how far ahead of ours another's clock may be: 8 seconds are
// common, a minute is a mistake (FAPI 2.0 Security Profile §5.3.2.1).
const clockSkew = 15 * time.Second

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
var privateKeyJWT = authenticationMethod{
	presented: func(req ClientRequest) bool {
		return req.Form.Has("client_assertion") || req.Form.Has("client_assertion_type")
	},
	names: func(req ClientRequest) (loop.ClientID, error) {
		kind, kindErr := single(req.Form, "client_assertion_type")
		text, textErr := single(req.Form, "client_assertion")
		named, namedErr := single(req.Form, "client_id")
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
	proves: func(s *Server, ctx context.Context, client *loop.Client, req ClientRequest) error {
		return s.provesAssertion(ctx, client, req.Form.Get("client_assertion"), req.Path)
	},
}

func refusedAssertion(why string) error {
	return loop.Errorf(loop.InvalidClient, "The client_assertion is refused: %s.", why).About("client_assertion")
}

// assertionClaims are the claims of RFC 7523 §3.
type assertionClaims struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Audience  any      `json:"aud"`
	ID        string   `json:"jti"`
	ExpiresAt *seconds `json:"exp"`
	IssuedAt  *seconds `json:"iat"`
	NotBefore *seconds `json:"nbf"`
}

// assertionSubject reads, before anything is proven, who the assertion says it
// is from.
func assertionSubject(text string) (loop.ClientID, error) {
	parts := strings.Split(text, ".")
	if len(text) > maxJWTLength || len(parts) != 3 {
		return "", refusedAssertion("it is not a signed JWT")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims assertionClaims
	if err != nil || decodeClaims(payload, &claims) != nil || claims.Subject == "" {
		return "", refusedAssertion("it has no sub, or is not a signed JWT")
	}
	return loop.ClientID(claims.Subject), nil
}

// provesAssertion verifies an assertion and uses it up. What the signature does
// not hold for is never stored.
func (s *Server) provesAssertion(ctx context.Context, client *loop.Client, text, path string) error {
	if client.Protocol.AuthMethod != loop.AuthPrivateKeyJWT {
		return errInvalidClient
	}
	payload, err := s.openClientJWT(ctx, client, text, "JWT", "client-authentication+jwt")
	if err != nil {
		return assertionFault(err)
	}
	var claims assertionClaims
	if err := decodeClaims(payload, &claims); err != nil {
		return refusedAssertion("its claims are not well formed")
	}
	if fault := claims.fault(client, s.assertionAudiences(client, path), s.World.Now()); fault != "" {
		return refusedAssertion(fault)
	}
	err = s.Assertions.UseAssertion(ctx, client.ID, sha256.Sum256([]byte(claims.ID)), claims.ExpiresAt.Time().Add(clockSkew))
	if errors.Is(err, ErrUsed) {
		return refusedAssertion("its jti was used before; make a new assertion for each request")
	}
	return err
}

// assertionFault tells what is wrong with the JWT itself.
func assertionFault(err error) error {
	if bad, ok := errors.AsType[errBadJWT](err); ok {
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
	case c.ExpiresAt.Time().After(now.Add(maxAssertionLife + clockSkew)):
		return "its exp is more than an hour away"
	case c.IssuedAt.after(now.Add(clockSkew)) || c.NotBefore.after(now.Add(clockSkew)):
		return "its iat or nbf is in the future: check your clock"
	}
	return ""
}

// seconds is a NumericDate (RFC 7519 §2) within the years that a clock can show.
type seconds float64

// Time is the moment.
func (n seconds) Time() time.Time { return time.UnixMicro(int64(n * 1e6)).UTC() }

// after reports whether the moment, if there is one, is after t.
func (n *seconds) after(t time.Time) bool { return n != nil && n.Time().After(t) }

// UnmarshalJSON refuses numbers that are no date.
func (n *seconds) UnmarshalJSON(raw []byte) error {
	var number float64
	if err := json.Unmarshal(raw, &number); err != nil {
		return err
	}
	const year9999 = 253402300799
	if number < 0 || number > year9999 {
		return errors.New("not a date")
	}
	*n = seconds(number)
	return nil
}

// decodeClaims reads a JSON object of claims, none of them twice (RFC 7519 §4),
// and by their names as they are: encoding/json would take ISS for iss, so that
// one claim could be checked and another be used.
func decodeClaims(payload []byte, into any) error { return josejson.Unmarshal(payload, into) }

func base64url(bytes []byte) string { return base64.RawURLEncoding.EncodeToString(bytes) }
