package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/clientjwt"
	"github.com/loop-health/loop/internal/oauth/parameter"
)

// maxRequestObjectLife is how long a request object may be valid (FAPI 2.0
// Message Signing §5.3.1).
const maxRequestObjectLife = time.Hour

// maxObjectClaims bounds a request object as a form is bounded.
const maxObjectClaims = 100

// objectClaims are the claims of a request object that are not parameters of
// the request (RFC 9101 §4).
type objectClaims struct {
	Issuer    string             `json:"iss"`
	Subject   string             `json:"sub"`
	Audience  any                `json:"aud"`
	Client    string             `json:"client_id"`
	ExpiresAt *clientjwt.Seconds `json:"exp"`
	NotBefore *clientjwt.Seconds `json:"nbf"`
	IssuedAt  *clientjwt.Seconds `json:"iat"`
}

func badObject(why string) *loop.Error {
	return loop.Errorf(loop.InvalidRequestObject, "The request object is refused: %s.", why).About("request")
}

// openRequestObject verifies a request object and gives the parameters in it:
// only these count, whatever was sent beside them (RFC 9101 §6.3).
func (s *Server) openRequestObject(ctx context.Context, client *loop.Client, text string) (url.Values, error) {
	if _, err := clientjwt.Parse(text); err != nil {
		return nil, badObject(err.Error())
	}
	if client.Protocol.KeySet == nil && client.Protocol.KeySetURI == "" {
		return nil, loop.Errorf(loop.RequestNotSupported, "This app has registered no keys, so that no request object of it can be verified. Register jwks or jwks_uri, or send the parameters themselves.").About("request")
	}
	payload, err := s.ClientKeys.Open(ctx, client, text, "oauth-authz-req+jwt", "JWT")
	if bad, ok := errors.AsType[clientjwt.Fault](err); ok {
		return nil, badObject(bad.Error()).Because(err)
	}
	if err != nil {
		return nil, err
	}
	var claims objectClaims
	if err := clientjwt.DecodeClaims(payload, &claims); err != nil {
		return nil, badObject("its claims are not well formed")
	}
	if fault := claims.fault(client, s.Issuer, s.World.Now()); fault != "" {
		return nil, badObject(fault)
	}
	return objectParameters(payload)
}

// fault says what is wrong with the claims; empty where nothing is.
func (c *objectClaims) fault(client *loop.Client, issuer string, now time.Time) string {
	switch {
	case c.Issuer != string(client.ID) || c.Client != string(client.ID):
		return "iss and client_id must both be the client_id"
	case c.Subject != "":
		return "it must have no sub, or it could be taken for a client assertion (RFC 9101)"
	case !isAudience(c.Audience, issuer):
		return "aud must hold " + issuer
	case c.ExpiresAt == nil || c.NotBefore == nil:
		return "it needs exp and nbf"
	case !now.Before(c.ExpiresAt.Time()):
		return "it has expired"
	case c.NotBefore.After(now.Add(clientjwt.MaxSkew)) || c.IssuedAt.After(now.Add(clientjwt.MaxSkew)):
		return "its nbf or iat is in the future: check your clock"
	case c.ExpiresAt.Time().Sub(c.NotBefore.Time()) > maxRequestObjectLife:
		return "it is valid for more than an hour"
	}
	return ""
}

// isAudience reports whether the issuer is the aud, or one of several (RFC 7519
// §4.1.3): of the same app, at other servers.
func isAudience(audience any, issuer string) bool {
	if many, ok := audience.([]any); ok {
		return slices.ContainsFunc(many, func(one any) bool { text, ok := one.(string); return ok && text == issuer })
	}
	return audience == issuer
}

// notParameters are claims of a request object that say something about itself.
var notParameters = map[string]bool{"iss": true, "aud": true, "exp": true, "nbf": true, "iat": true, "jti": true, "sub": true}

// objectParameters turns the claims into parameters (RFC 9101 §4): texts as they
// are, numbers in digits, objects as JSON, a list of resources as several.
func objectParameters(payload []byte) (url.Values, error) {
	var claims map[string]json.RawMessage
	if err := clientjwt.DecodeClaims(payload, &claims); err != nil {
		return nil, badObject("its claims are not well formed")
	}
	if len(claims) > maxObjectClaims {
		return nil, badObject("it has more than " + strconv.Itoa(maxObjectClaims) + " claims")
	}
	params := url.Values{}
	for name, raw := range claims {
		if notParameters[name] {
			continue
		}
		if name == "request" || name == "request_uri" {
			return nil, badObject("it holds another request")
		}
		values, err := parameterValues(name, raw)
		if err != nil {
			return nil, badObject("one of its claims is not a text, a number or an object")
		}
		if slices.ContainsFunc(append(values, name), func(text string) bool { return strings.IndexByte(text, 0) >= 0 }) {
			return nil, badObject("one of its claims holds a NUL")
		}
		params[name] = values
	}
	return parameter.WithoutEmpty(params), nil
}

func parameterValues(name string, raw json.RawMessage) ([]string, error) {
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return nil, err
	}
	switch value := value.(type) {
	case string:
		return []string{value}, nil
	case float64:
		return []string{strconv.FormatFloat(value, 'f', -1, 64)}, nil
	case map[string]any:
		return []string{string(raw)}, nil
	case []any:
		var values []string
		for _, one := range value {
			text, ok := one.(string)
			if !ok || name != "resource" {
				return nil, errors.New("not a list of resources")
			}
			values = append(values, text)
		}
		return values, nil
	}
	return nil, fmt.Errorf("not a parameter")
}

// resolveSigned opens a request object that came to the authorization endpoint.
// A redirect URI beside it that is not registered is a page, whatever the object
// says; one that is takes the refusal of a bad object.
func (s *Server) resolveSigned(ctx context.Context, params url.Values) (RawRequest, error) {
	outer := url.Values{"client_id": params["client_id"], "redirect_uri": params["redirect_uri"]}
	client, err := s.findClient(ctx, outer)
	if err != nil {
		return RawRequest{}, err
	}
	var to *Answer
	if params.Has("redirect_uri") {
		redirectURI, err := proveRedirectURI(client, outer)
		if err != nil {
			return RawRequest{}, err
		}
		known := &AuthorizationRequest{Client: client, RedirectURI: redirectURI, Mode: QueryMode}
		if errors.Join(readState(known, params), readResponseMode(known, params)) == nil {
			to = known.answer()
		}
	}
	inner, err := s.openRequestObject(ctx, client, params.Get("request"))
	if err != nil {
		return RawRequest{}, &AuthorizationError{Fault: loop.AsError(err), To: to}
	}
	return RawRequest{Parameters: inner}, nil
}
