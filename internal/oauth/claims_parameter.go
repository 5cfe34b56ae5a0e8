package oauth

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/clientjwt"
)

// claimsParameter is what the claims parameter asks for (OpenID Connect Core
// §5.5).
type claimsParameter struct {
	UserInfo map[string]json.RawMessage `json:"userinfo"`
	IDToken  map[string]json.RawMessage `json:"id_token"`
}

// claimDemand is how one claim is asked for (OpenID Connect Core §5.5.1).
type claimDemand struct {
	Essential bool     `json:"essential"`
	Value     string   `json:"value"`
	Values    []string `json:"values"`
}

var errClaimsParameter = loop.Errorf(loop.InvalidRequest, "The claims parameter must be a JSON object with the members userinfo and id_token, each claim in it null or an object, and no name twice.").About("claims")

// scopeOfClaim says which scope covers a claim that can be asked for by name.
var scopeOfClaim = map[string]loop.Scope{
	"name": loop.ScopeProfile, "locale": loop.ScopeProfile, "updated_at": loop.ScopeProfile,
	"email": loop.ScopeEmail, "email_verified": loop.ScopeEmail,
}

// readClaims reads the claims parameter. A claim counts as asking for the scope
// that covers it. One that is not known, or whose scope the client may not ask for,
// is left out, essential or not (OpenID Connect Core §5.5.1).
func readClaims(req *AuthorizationRequest, params url.Values) error {
	text := params.Get("claims")
	if text == "" {
		return nil
	}
	var asked claimsParameter
	if len(text) > maxStateLength || clientjwt.DecodeClaims([]byte(text), &asked) != nil {
		return errClaimsParameter
	}
	if err := req.readDemands(asked.IDToken); err != nil {
		return err
	}
	for claim, scope := range scopeOfClaim {
		if !req.Client.AllowedScopes.Has(scope) {
			continue
		}
		_, inUserInfo := asked.UserInfo[claim]
		_, inIDToken := asked.IDToken[claim]
		if inUserInfo || inIDToken {
			req.Scopes = req.Scopes.Or(loop.NewScopes(scope))
		}
		if inIDToken {
			req.IDClaims = append(req.IDClaims, claim)
		}
	}
	slices.Sort(req.IDClaims)
	return nil
}

// readDemands reads what the request cannot be answered without: a certain
// member (OpenID Connect Core §3.1.2.2) and an essential acr (§5.5.1.1). A demand
// that is not well formed is refused: taken for none, it would be met by anything.
func (req *AuthorizationRequest) readDemands(idToken map[string]json.RawMessage) error {
	var sub, acr claimDemand
	for name, into := range map[string]*claimDemand{"sub": &sub, "acr": &acr} {
		if raw, asked := idToken[name]; asked && clientjwt.DecodeClaims(raw, into) != nil {
			return errClaimsParameter
		}
	}
	req.Hinted = loop.MemberID(sub.Value)
	if !acr.Essential {
		return nil
	}
	req.acr = acr.Values
	if acr.Value != "" {
		req.acr = append(req.acr, acr.Value)
	}
	return nil
}

// readACR reads which classes of sign-ins meet the request (RFC 9470 §5): those that
// claims marks as essential, else those of our own names that acr_values has. Other
// names are wishes (OpenID Connect Core §3.1.2.1). What no sign-in of ours could meet is
// refused.
func readACR(req *AuthorizationRequest, params url.Values) error {
	asked := req.acr
	if len(asked) == 0 {
		asked = slices.DeleteFunc(strings.Fields(params.Get("acr_values")), func(name string) bool { return !strings.HasPrefix(name, "urn:loop:acr:") })
	}
	for _, name := range asked {
		if slices.Contains(loop.Contexts, loop.Context(name)) {
			req.Contexts = append(req.Contexts, loop.Context(name))
		}
	}
	if len(asked) > 0 && len(req.Contexts) == 0 {
		return loop.Errorf(loop.UnmetAuthenticationRequirements, "No sign-in of Loop is what this request demands. acr_values_supported of the discovery document lists what there is.").About("acr_values")
	}
	return nil
}

// met is the first class that the request asks for and the methods meet; empty: it
// asks for none. It is not ok where they meet none of those that it asks for.
func (req *AuthorizationRequest) met(methods loop.Methods) (context loop.Context, ok bool) {
	at := slices.IndexFunc(req.Contexts, methods.Meet)
	if at < 0 {
		return "", len(req.Contexts) == 0
	}
	return req.Contexts[at], true
}
