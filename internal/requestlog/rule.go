package requestlog

import "github.com/loop-health/loop/internal/loop"

// Rule is what a refused request broke, and what to do.
type Rule struct {
	Text   string
	Mend   string
	Source string // with its section
	URL    string // where that can be read; empty: nowhere but here
}

const (
	rfc  = "https://www.rfc-editor.org/rfc/"
	oidc = "https://openid.net/specs/openid-connect-core-1_0.html"
)

// byField are the rules of single parameters, which say more than their error's.
var byField = map[loop.Code]map[string]Rule{
	loop.InvalidRequest: {
		"redirect_uri": {
			"The redirect URI must be one that the app registered, letter by letter. Only the port of a loopback address may differ.",
			"Send a registered redirect URI, or register the one that you send.", "RFC 9700 §2.1", rfc + "rfc9700#section-2.1",
		},
		"code_challenge": {
			"Every authorization request carries a PKCE challenge, so that a stolen code is of no use.",
			"Make a code_verifier for each request, and send its SHA-256 in base64url as code_challenge.", "RFC 7636 §4.3", rfc + "rfc7636#section-4.3",
		},
		"code_challenge_method": {
			"The challenge is made by SHA-256; plain protects nothing.", "Send code_challenge_method=S256.", "RFC 9700 §2.1.1", rfc + "rfc9700#section-2.1.1",
		},
		"state": {
			"The app's registration demands a state, which ties the answer to the browser that asked.", "Send a fresh, unpredictable state with each request.",
			"RFC 6749 §10.12", rfc + "rfc6749#section-10.12",
		},
		"nonce": {
			"The app's registration demands a nonce, which ties the ID token to the request.", "Send a fresh, unpredictable nonce with each request.",
			"OpenID Connect Core §3.1.2.1", oidc + "#AuthRequest",
		},
		"client_id": {
			"The client_id names the app that asks.", "Copy the client ID from the app's page.", "RFC 6749 §2.2", rfc + "rfc6749#section-2.2",
		},
	},
	loop.InvalidGrant: {
		"code_verifier": {
			"The code_verifier must be the one whose challenge the authorization request carried.", "Keep the verifier with the state, and send that one.",
			"RFC 7636 §4.6", rfc + "rfc7636#section-4.6",
		},
		"redirect_uri": {
			"A code is exchanged with the redirect URI that its authorization request carried.", "Send the same redirect_uri twice, letter by letter.",
			"RFC 6749 §4.1.3", rfc + "rfc6749#section-4.1.3",
		},
	},
}

// byCode are the rules behind each error.
var byCode = map[loop.Code]Rule{
	loop.InvalidRequest:          {"The request lacks a parameter, repeats one, or has one that can't be read.", "Compare what was received with the request below.", "RFC 6749 §4.1.2.1", rfc + "rfc6749#section-4.1.2.1"},
	loop.InvalidClient:           {"The app must prove who it is, by the method that it registered.", "Check the secret or the key, and how it is sent.", "RFC 6749 §2.3", rfc + "rfc6749#section-2.3"},
	loop.InvalidGrant:            {"A code works once, for a minute, for the app that asked for it; of refresh tokens the newest works alone.", "Send the member through authorization again. If it comes back, look for two requests with one code or token.", "RFC 6749 §5.2", rfc + "rfc6749#section-5.2"},
	loop.InvalidScope:            {"An app asks for scopes that it registered, and at a refresh for none beyond those that it asked for before.", "Ask for registered scopes alone, or register the further one.", "RFC 6749 §3.3", rfc + "rfc6749#section-3.3"},
	loop.UnauthorizedClient:      {"The app's registration doesn't allow this.", "Look at the app's settings.", "RFC 6749 §5.2", rfc + "rfc6749#section-5.2"},
	loop.UnsupportedGrantType:    {"Tokens are given for authorization_code, refresh_token and client_credentials.", "Send one of these as grant_type.", "RFC 6749 §5.2", rfc + "rfc6749#section-5.2"},
	loop.UnsupportedResponseType: {"An authorization is answered by a code alone.", "Send response_type=code.", "RFC 6749 §3.1.1", rfc + "rfc6749#section-3.1.1"},
	loop.RequestNotSupported:     {"This request object is of a kind that isn't read here.", "Send plain parameters, or push them.", "OpenID Connect Core §3.1.2.6", oidc + "#AuthError"},
	loop.RequestURINotSupported:  {"A request_uri is taken where pushing gave it.", "Push the request, and send the request_uri of the answer.", "RFC 9126 §4", rfc + "rfc9126#section-4"},
	loop.InvalidTarget:           {"The resource must be one of those that tokens are given for.", "Leave resource out, or name the API's address.", "RFC 8707 §2", rfc + "rfc8707#section-2"},
	loop.InvalidRedirectURI:      {"A redirect URI is https, http at the loopback address, or a scheme of the program's own with a dot.", "Correct the URI that the description names.", "RFC 7591 §3.2.2", rfc + "rfc7591#section-3.2.2"},
	loop.InvalidClientMetadata:   {"What a program says of itself obeys the rules of every app.", "Correct the members that the description names.", "RFC 7591 §3.2.2", rfc + "rfc7591#section-3.2.2"},
	loop.InvalidRequestObject:    {"The signed request doesn't hold: its signature, its audience, its times or what it says.", "Check the key, aud, exp, and that parameters inside and outside agree.", "RFC 9101 §6.2", rfc + "rfc9101#section-6.2"},
	loop.InvalidRequestURI:       {"A pushed request works once, within its lifetime.", "Push the request again.", "RFC 9126 §4", rfc + "rfc9126#section-4"},
	loop.InvalidDPoPProof:        {"Each request needs a DPoP proof of its own: of this method and address, of now, by the token's key.", "Make a new proof for each request.", "RFC 9449 §4.3", rfc + "rfc9449#section-4.3"},
	loop.UseDPoPNonce:            {"The proof must carry the nonce that the last answer gave.", "Take the DPoP-Nonce header of this answer into the next proof, and send again.", "RFC 9449 §8", rfc + "rfc9449#section-8"},

	loop.AccessDenied:                    {"The member said no, or the app may not ask this member.", "Show them what the app offers without it, and let them try again.", "RFC 6749 §4.1.2.1", rfc + "rfc6749#section-4.1.2.1"},
	loop.LoginRequired:                   {"prompt=none shows no page, and nobody is signed in.", "Ask again without prompt=none.", "OpenID Connect Core §3.1.2.6", oidc + "#AuthError"},
	loop.ConsentRequired:                 {"prompt=none shows no page, and the member has not allowed all of this yet.", "Ask again without prompt=none.", "OpenID Connect Core §3.1.2.6", oidc + "#AuthError"},
	loop.InteractionRequired:             {"prompt=none shows no page, and the member has something to do first.", "Ask again without prompt=none.", "OpenID Connect Core §3.1.2.6", oidc + "#AuthError"},
	loop.AccountSelectionRequired:        {"prompt=none shows no page, and the member has to choose an account.", "Ask again without prompt=none.", "OpenID Connect Core §3.1.2.6", oidc + "#AuthError"},
	loop.UnmetAuthenticationRequirements: {"The member can't sign in as the request demands.", "Ask for less, or tell the member what they need.", "OpenID Connect Unmet Authentication Requirements 1.0 §2", "https://openid.net/specs/openid-connect-unmet-authentication-requirements-1_0.html"},

	loop.Unauthenticated:                {"The request carries no access token.", "Send Authorization: Bearer and the token.", "RFC 6750 §3", rfc + "rfc6750#section-3"},
	loop.InvalidToken:                   {"The access token has expired, was revoked, or was never one.", "Refresh it. If the refresh is refused too, send the member through authorization.", "RFC 6750 §3.1", rfc + "rfc6750#section-3.1"},
	loop.InsufficientScope:              {"The token doesn't have the scope that this address needs: the app didn't ask for it, or the member left it out.", "Ask for the scope, and say why when the member has left it out.", "RFC 6750 §3.1", rfc + "rfc6750#section-3.1"},
	loop.InsufficientUserAuthentication: {"The member signed in too long ago for this address.", "Send the member through authorization with the max_age of the answer.", "RFC 9470 §3", rfc + "rfc9470#section-3"},
	loop.Forbidden:                      {"Who sent the request may not do this.", "Read the description.", "RFC 9110 §15.5.4", rfc + "rfc9110#section-15.5.4"},

	loop.NotFound:             {"There is nothing at this address, or nothing that this token may see.", "Check the path and the id.", "RFC 9110 §15.5.5", rfc + "rfc9110#section-15.5.5"},
	loop.MethodNotAllowed:     {"The address doesn't answer this method.", "Use one of the Allow header.", "RFC 9110 §15.5.6", rfc + "rfc9110#section-15.5.6"},
	loop.NotAcceptable:        {"None of the forms in the Accept header is there.", "Ask for application/json.", "RFC 9110 §15.5.7", rfc + "rfc9110#section-15.5.7"},
	loop.Conflict:             {"It contradicts what is there already.", "Read what is there, and decide again.", "RFC 9110 §15.5.10", rfc + "rfc9110#section-15.5.10"},
	loop.PayloadTooLarge:      {"The body is larger than this address takes.", "Send less at once.", "RFC 9110 §15.5.14", rfc + "rfc9110#section-15.5.14"},
	loop.URITooLong:           {"The address is longer than can be read.", "Send fewer parameters, or push the request.", "RFC 9110 §15.5.15", rfc + "rfc9110#section-15.5.15"},
	loop.HeadersTooLarge:      {"The headers are larger than can be read.", "Send fewer cookies and shorter headers.", "RFC 6585 §5", rfc + "rfc6585#section-5"},
	loop.UnsupportedMediaType: {"The body is of a kind that this address doesn't read.", "Send the Content-Type that its documentation names.", "RFC 9110 §15.5.16", rfc + "rfc9110#section-15.5.16"},
	loop.ValidationError:      {"A value is outside of what is possible.", "Read the description, which names the field.", "Loop, Errors", ""},
	loop.RateLimited:          {"The app, or its network, sent more requests than it may in a minute.", "Wait as long as Retry-After says.", "RFC 6585 §4", rfc + "rfc6585#section-4"},

	loop.ServerError:            {"Something failed on our side.", "Try again; if it stays, send us the request id.", "RFC 9110 §15.6.1", rfc + "rfc9110#section-15.6.1"},
	loop.TemporarilyUnavailable: {"We can't answer at the moment.", "Try again; where there is no Retry-After, read first whether it was done.", "RFC 9110 §15.6.4", rfc + "rfc9110#section-15.6.4"},
}

// RuleOf gives the rule that an entry with an error broke.
func RuleOf(e Entry) Rule {
	if rule, ok := byField[e.Error][e.Field]; ok {
		return rule
	}
	return byCode[e.Error]
}
