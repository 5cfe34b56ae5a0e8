package portal

import (
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
)

// playRequest is a request of the playground, as it is shown before it is sent.
type playRequest struct {
	Action string // of the form that sends it
	Title  string
	Why    string
	Button string

	Method     string
	Address    string
	Parameters []playParameter // of the query or the form
	Bearer     string          // the access token in the header; empty: none
	Basic      bool            // the app proves itself by HTTP Basic
}

// playParameter is a parameter with what it is for.
type playParameter struct {
	Name, Value, Why string
	Secret           bool // its value is not shown
}

// authorizationRequest is where the developer's browser is sent.
func (h *Host) authorizationRequest(p *play) playRequest {
	return playRequest{
		Title: "Send the browser to Loop", Method: http.MethodGet, Address: h.identity.issuer + oauth.AuthorizePath,
		Why: "Your app sends the member's browser to Loop with what it asks for. PKCE: the app made the verifier at random, keeps it, and sends its SHA-256 as the challenge. Who steals the code later has no verifier, and so no use for it.",
		Parameters: []playParameter{
			{"response_type", "code", "a code is the only answer", false},
			{"client_id", string(p.Client), "which app asks", false},
			{"redirect_uri", string(h.playCallback), "where the browser returns to: registered, character by character", false},
			{"scope", p.Scope, "what the member is asked for", false},
			{"state", p.State, "random; it has to come back unchanged, in this browser", false},
			{"nonce", p.Nonce, "random; it has to be in the ID token", false},
			{"code_challenge", oauth2.S256ChallengeFromVerifier(p.Verifier), "base64url of the SHA-256 of the verifier " + p.Verifier, false},
			{"code_challenge_method", "S256", "the challenge is a hash", false},
			{"prompt", "select_account consent", "for this walk: choose a test member and see the consent page even where it is remembered", false},
		},
	}
}

// URL is the request's address with its parameters.
func (q playRequest) URL() string {
	return q.Address + "?" + q.values().Encode()
}

func (q playRequest) values() url.Values {
	values := url.Values{}
	for _, p := range q.Parameters {
		values.Set(p.Name, p.Value)
	}
	return values
}

// tokenRequests are what can be sent now, each by a button.
func (h *Host) nextRequests(p *play, app *loop.Client) []playRequest {
	var next []playRequest
	if p.Code != "" {
		next = append(next, h.withClient(h.exchangeRequest(p), p, app))
	}
	if !p.hasTokens() {
		return next
	}
	scopes, _ := loop.ParseScopes(p.Scope)
	if scopes.Scopes().Has(loop.ScopeReadBiomarkers) {
		next = append(next, playRequest{
			Action: "read", Title: "Read lab results", Button: "Read them", Method: http.MethodGet, Address: h.clinical.JoinPath("v1", "biomarkers", "me").String(), Bearer: p.Access,
			Why:        "The access token is sent in the Authorization header, never in an address.",
			Parameters: []playParameter{{"latest", "true", "the newest result of each biomarker", false}, {"limit", "2", "two of them", false}},
		})
	}
	next = append(
		next,
		playRequest{
			Action: "userinfo", Title: "Ask who the member is", Button: "Ask", Method: http.MethodGet, Address: h.identity.issuer + oauth.UserInfoPath, Bearer: p.Access,
			Why: "Name and address come from userinfo, as far as the scopes profile and email were allowed.",
		},
		h.withClient(h.refreshRequest(p), p, app),
	)
	if p.Used != "" {
		next = append(next, h.withClient(h.reuseRequest(p), p, app))
	}
	return append(next, h.withClient(h.revokeRequest(p), p, app))
}

func (h *Host) exchangeRequest(p *play) playRequest {
	return playRequest{
		Action: "exchange", Title: "Exchange the code for tokens", Button: "Exchange it", Method: http.MethodPost, Address: h.identity.issuer + oauth.TokenPath,
		Why: "Your server sends the code with the verifier, within 60 seconds. Loop hashes the verifier and compares it with the challenge. The code works once: a second use ends the tokens that the first one gave.",
		Parameters: []playParameter{
			{"grant_type", "authorization_code", "", false},
			{"code", p.Code, "as it came", false},
			{"redirect_uri", string(h.playCallback), "the same as in the authorization request", false},
			{"code_verifier", p.Verifier, "what the challenge was made of", false},
		},
	}
}

func (h *Host) refreshRequest(p *play) playRequest {
	return playRequest{
		Action: "refresh", Title: "Refresh", Button: "Refresh", Method: http.MethodPost, Address: h.identity.issuer + oauth.TokenPath,
		Why: "The refresh token gives a new pair, and ends with it: keep the new one before you do anything else.",
		Parameters: []playParameter{
			{"grant_type", "refresh_token", "", false}, {"refresh_token", p.Refresh, "the newest", false},
		},
	}
}

func (h *Host) reuseRequest(p *play) playRequest {
	return playRequest{
		Action: "reuse", Title: "Send the used refresh token again", Button: "Use it again, on purpose", Method: http.MethodPost, Address: h.identity.issuer + oauth.TokenPath,
		Why: "A refresh token that comes twice was stolen, as far as anybody can tell: Loop ends everything that the member allowed this app. Afterwards each other request here is refused.",
		Parameters: []playParameter{
			{"grant_type", "refresh_token", "", false}, {"refresh_token", p.Used, "the one before, which was used", false},
		},
	}
}

func (h *Host) revokeRequest(p *play) playRequest {
	return playRequest{
		Action: "revoke", Title: "Revoke", Button: "Revoke", Method: http.MethodPost, Address: h.identity.issuer + oauth.RevocationPath,
		Why:        "Your app gives back its refresh token when the member signs out of it. The access tokens of the same authorization end at once. Read lab results afterwards, and see that they do.",
		Parameters: []playParameter{{"token", p.Refresh, "the refresh token", false}},
	}
}

// withClient adds how the app proves itself.
func (h *Host) withClient(q playRequest, p *play, app *loop.Client) playRequest {
	switch app.Protocol.AuthMethod {
	case loop.AuthSecretBasic:
		q.Basic = true
		return q
	case loop.AuthSecretPost:
		q.Parameters = append(q.Parameters, playParameter{"client_secret", p.Secret, "the app's secret", true})
	default:
	}
	q.Parameters = append(q.Parameters, playParameter{"client_id", string(p.Client), "which app asks", false})
	return q
}

// Text is the request as it goes over the wire, without secrets.
func (q playRequest) Text() string {
	u, err := url.Parse(q.Address)
	if err != nil {
		return ""
	}
	path, separator := u.EscapedPath(), "\n  &"
	var pairs []string
	for _, p := range q.Parameters {
		value := url.QueryEscape(p.Value)
		if p.Secret {
			value = "••••"
		}
		pairs = append(pairs, p.Name+"="+value)
	}
	var text strings.Builder
	text.WriteString(q.Method + " " + path)
	if q.Method == http.MethodGet && len(pairs) > 0 {
		text.WriteString("\n  ?" + strings.Join(pairs, separator))
	}
	text.WriteString("\nHost: " + u.Host)
	if q.Bearer != "" {
		text.WriteString("\nAuthorization: Bearer " + q.Bearer)
	}
	if q.Basic {
		text.WriteString("\nAuthorization: Basic ••••  (client_id:secret)")
	}
	if q.Method == http.MethodPost {
		text.WriteString("\nContent-Type: application/x-www-form-urlencoded\n\n  " + strings.Join(pairs, separator))
	}
	return text.String()
}
