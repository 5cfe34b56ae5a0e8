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

// readACR refuses a stronger sign-in than there is yet (RFC 9470 §5): one of our
// own names, alone, or whatever claims marks as essential. Other names are
// wishes (OpenID Connect Core §3.1.2.1).
func readACR(req *AuthorizationRequest, params url.Values) error {
	wished := strings.Fields(params.Get("acr_values"))
	ours := slices.ContainsFunc(wished, func(name string) bool { return strings.HasPrefix(name, "urn:loop:acr:") })
	unmet := ours && !slices.Contains(wished, string(loop.ContextPassword)) || len(req.acr) > 0 && !slices.Contains(req.acr, string(loop.ContextPassword))
	if unmet {
		return loop.Errorf(loop.UnmetAuthenticationRequirements, "Members sign in with a password today: %s. A stronger way that this request demands is not there yet.", loop.ContextPassword).About("acr_values")
	}
	return nil
}
