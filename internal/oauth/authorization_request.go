package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/parameter"
)

// AuthorizationRequest is a request to the authorization endpoint (RFC 6749
// §4.1.1, OpenID Connect Core §3.1.2.1) that has been checked in full.
type AuthorizationRequest struct {
	RawRequest

	Client      *loop.Client
	RedirectURI loop.RedirectURI
	Scopes      loop.Scopes       // asked for, by name or by claim
	Names       loop.ScopeRequest // by which the scope parameter asks
	State       string
	Nonce       string
	Challenge   CodeChallenge
	Mode        ResponseMode

	Prompt    Prompt
	MaxAge    *time.Duration // nil: any
	Contexts  []loop.Context // classes of sign-ins, of which one is needed; none: any
	Hinted    loop.MemberID  // by id_token_hint or claims; empty: nobody
	LoginHint string
	IDClaims  []string // asked for in the ID token itself
	Resources []string // that tokens are to be for (RFC 8707); none: this platform's own

	acr []string // one of which the claims parameter demands; none: any
}

// RawRequest is an authorization request as its app made it, however it came here. It
// is checked afresh at every step.
type RawRequest struct {
	Parameters url.Values
	Handle     string // the request_uri under which it was pushed; empty: it was not
	Key        string // thumbprint of the DPoP key that the code is to be bound to; empty: none
	Unsigned   bool   // it came just now, and not as a signed request object
}

// ResponseMode is how the answer reaches the redirect URI.
type ResponseMode string

// The response modes on offer (OAuth 2.0 Multiple Response Type Encoding
// Practices §2.1, OAuth 2.0 Form Post Response Mode).
const (
	QueryMode    ResponseMode = "query"
	FormPostMode ResponseMode = "form_post"
)

// Prompt is what the request wants the member to be asked.
type Prompt struct {
	None, Login, Consent, SelectAccount bool
}

// AuthorizationError is a refused authorization request. It is sent to the
// redirect URI where client and redirect URI are proven; else it ends in a page.
type AuthorizationError struct {
	Fault *loop.Error
	To    *Answer // nil: a page, never a redirect (RFC 6749 §4.1.2.1)
	// Swapped is the registered redirect URI that differs from the one sent only
	// by localhost against a loopback address.
	Swapped loop.RedirectURI
	Sent    loop.RedirectURI
}

// Error gives the fault within.
func (e *AuthorizationError) Error() string { return e.Fault.Error() }

// Unwrap gives the fault within.
func (e *AuthorizationError) Unwrap() error { return e.Fault }

// Answer is an authorization response: where it is sent and what the
// client needs to take it for an answer to its own request.
type Answer struct {
	Client      *loop.Client
	RedirectURI loop.RedirectURI
	Mode        ResponseMode
	State       string
}

const (
	maxStateLength = 2048
	maxNonceLength = 512
	// maxCarriedLength is how long a request may be, encoded, that pages carry in
	// their address from sign-in to consent: sealed it is longer by a third.
	maxCarriedLength = 8 << 10
)

// CheckAuthorizationRequest checks the parameters of an authorization request.
// Client and redirect URI are proven before anything else is judged, so that no
// error is ever sent to a place that did not register. All faults are reported at
// once. Every refusal is an *AuthorizationError.
func (s *Server) CheckAuthorizationRequest(ctx context.Context, raw RawRequest) (*AuthorizationRequest, error) {
	return s.checkAuthorizationRequest(ctx, raw, func(string, error) {})
}

// checkAuthorizationRequest calls report with what each check finds, in their order.
func (s *Server) checkAuthorizationRequest(ctx context.Context, raw RawRequest, report func(check string, err error)) (*AuthorizationRequest, error) {
	req := &AuthorizationRequest{RawRequest: raw, Mode: QueryMode}
	refused := s.proveClient(ctx, req, report)
	var found faults
	if refused != nil {
		found = faults{refused.Fault}
	} else {
		refused = &AuthorizationError{}
	}
	s.checkRest(req, &found, report)
	req.LoginHint = raw.Parameters.Get("login_hint")
	if refused.Fault = found.join(); refused.Fault == nil {
		return req, nil
	}
	if req.RedirectURI != "" {
		refused.To = req.answer()
	}
	return nil, refused
}

// proveClient finds the client and the redirect URI of a request. Where it can't,
// the refusal ends in a page, and the request is taken for that of a client that may ask for
// everything, so that its other faults can be found.
func (s *Server) proveClient(ctx context.Context, req *AuthorizationRequest, report func(check string, err error)) *AuthorizationError {
	client, err := s.findClient(ctx, req.Parameters)
	report("client_id", err)
	if err == nil {
		req.Client = client
		req.RedirectURI, err = proveRedirectURI(client, req.Parameters)
		report("redirect_uri", err)
	} else {
		req.Client = anyClient()
	}
	if err == nil {
		return nil
	}
	refused, ok := errors.AsType[*AuthorizationError](err)
	if !ok {
		return &AuthorizationError{Fault: loop.AsError(err)}
	}
	return refused
}

// anyClient is checked in place of a client that is not known: it may ask for all.
func anyClient() *loop.Client {
	c := &loop.Client{Protocol: loop.Protocol{GrantTypes: []loop.GrantType{loop.GrantAuthorizationCode}}}
	for _, row := range loop.ScopeRegistry() {
		c.AllowedScopes = append(c.AllowedScopes, row.Scope)
	}
	return c
}

func (req *AuthorizationRequest) answer() *Answer {
	return &Answer{Client: req.Client, RedirectURI: req.RedirectURI, Mode: req.Mode, State: req.State}
}

// onPage is a refusal that ends in a page.
func onPage(err error) error { return &AuthorizationError{Fault: loop.AsError(err)} }

// findClient finds the client of a request. Its errors end in a page.
func (s *Server) findClient(ctx context.Context, params url.Values) (*loop.Client, error) {
	id, err := parameter.Single(params, "client_id")
	if err != nil {
		return nil, onPage(err)
	}
	if id == "" {
		return nil, onPage(loop.Errorf(loop.InvalidRequest, "The client_id is missing.").About("client_id"))
	}
	client, err := s.clientByID(ctx, loop.ClientID(id))
	switch {
	case errors.Is(err, loop.ErrNotFound):
		return nil, onPage(loop.Errorf(loop.InvalidRequest, "No app has this client_id. Compare it with the one in the developer portal.").About("client_id"))
	case err != nil && loop.AsError(err).Code == loop.InvalidClient: // its metadata document makes no client
		return nil, onPage(loop.Errorf(loop.InvalidRequest, "%s", loop.AsError(err).Description).About("client_id").Because(err))
	case err != nil:
		return nil, onPage(err)
	case client.Standing() != loop.Works:
		return nil, onPage(loop.Errorf(loop.InvalidRequest, "%s", client.Standing().Explain()).About("client_id"))
	case client.Lapsed(s.World.Now()):
		return nil, onPage(loop.Errorf(loop.InvalidRequest, "The client metadata document of %s could not be read for a day. Serve it again.", client.ID.DocumentHost()).About("client_id"))
	}
	return client, nil
}

// proveRedirectURI finds the redirect URI of a request among those registered.
// Its errors end in a page.
func proveRedirectURI(client *loop.Client, params url.Values) (loop.RedirectURI, error) {
	sent, err := parameter.Single(params, "redirect_uri")
	if err != nil {
		return "", onPage(err)
	}
	redirectURI := loop.RedirectURI(sent)
	if client.Registered(redirectURI) {
		return redirectURI, nil
	}
	fault := loop.Errorf(loop.InvalidRequest, "The redirect URI is not registered for this client. It must equal a registered one, character by character.").About("redirect_uri")
	if sent == "" {
		fault = loop.Errorf(loop.InvalidRequest, "The redirect_uri is missing.").About("redirect_uri")
	}
	refused := &AuthorizationError{Fault: fault, Sent: redirectURI}
	if registered, ok := loop.SwappedLoopback(client.RedirectURIs, redirectURI); ok {
		refused.Swapped = registered
	}
	return "", refused
}

// clientByID reads a client; what has not even the form of an id is not looked up.
func (s *Server) clientByID(ctx context.Context, id loop.ClientID) (*loop.Client, error) {
	if !id.Valid() {
		return nil, loop.ErrNotFound
	}
	return s.Ledger.Client(ctx, id)
}

// step is a check of an authorization request. Its name is that of what it judges.
type step struct {
	name  string
	check func(*AuthorizationRequest, url.Values) error
}

// checkRest checks everything but client and redirect URI. The order decides which
// code a request with several faults is answered with.
func (s *Server) checkRest(req *AuthorizationRequest, found *faults, report func(check string, err error)) {
	steps := [...]step{
		{"state", readState},
		{"response_mode", readResponseMode},
		{"length", refuseTooLong},
		{"duplicates", refuseDuplicates},
		{"request, request_uri", refuseRequestObjects},
		{"profile", holdToProfile},
		{"signature", refuseUnsigned},
		{"response_type", readResponseType},
		{"scope", readScope},
		{"claims", readClaims},
		{"nonce", readNonce},
		{"code_challenge", readChallenge},
		{"code_challenge_method", readChallengeMethod},
		{"dpop_jkt", readKey},
		{"prompt", readPrompt},
		{"max_age", readMaxAge},
		{"acr_values", readACR},
		{"id_token_hint", s.readIDTokenHint},
		{"resource", s.readResources},
	}
	for _, step := range steps {
		err := step.check(req, req.Parameters)
		report(step.name, err)
		found.add(err)
	}
}

// readState: the code challenge, which every request has, protects what state would
// (RFC 9700 §2.1), so an app may leave it out unless it demands it of itself.
func readState(req *AuthorizationRequest, params url.Values) error {
	state, err := parameter.Single(params, "state")
	if err != nil {
		return err
	}
	if state == "" && req.Client.Protocol.RequireState {
		return loop.Errorf(loop.InvalidRequest, "The state is missing, and this app is registered to send one. Send an unguessable value and compare it when the answer comes.").About("state")
	}
	if len(state) > maxStateLength || strings.IndexFunc(state, func(r rune) bool { return r < 0x20 || r > 0x7e }) >= 0 {
		return loop.Errorf(loop.InvalidRequest, "The state must be 1 to %d printable ASCII characters.", maxStateLength).About("state")
	}
	req.State = state
	return nil
}

func readResponseMode(req *AuthorizationRequest, params url.Values) error {
	mode, err := parameter.Single(params, "response_mode")
	if err != nil {
		return err
	}
	switch ResponseMode(mode) {
	case "", QueryMode:
	case FormPostMode:
		req.Mode = FormPostMode
	default:
		return loop.Errorf(loop.InvalidRequest, "The response_mode must be query or form_post.").About("response_mode")
	}
	return nil
}

// refuseTooLong refuses at once what could not be finished. A pushed request stays
// where it was pushed to.
func refuseTooLong(req *AuthorizationRequest, params url.Values) error {
	if req.Handle == "" && len(params.Encode()) > maxCarriedLength {
		return loop.Errorf(loop.InvalidRequest, "The request is longer than %d bytes. Send less, or push it to /v1/oauth/par and send the request_uri that comes back.", maxCarriedLength)
	}
	return nil
}

// refuseDuplicates: parameters MUST NOT be included more than once (RFC 6749 §3.1).
func refuseDuplicates(_ *AuthorizationRequest, params url.Values) error {
	return parameter.NoDuplicates(params)
}

// refuseRequestObjects refuses what Resolve left: a request object that came
// twice or with a request_uri, and a request_uri of somebody else, which is
// never fetched.
func refuseRequestObjects(_ *AuthorizationRequest, params url.Values) error {
	if params.Has("request_uri") {
		return loop.Errorf(loop.RequestURINotSupported, "Only a request_uri that a push gave is taken. Push the request, or send the parameters themselves.").About("request_uri")
	}
	if params.Has("request") {
		return loop.Errorf(loop.InvalidRequestObject, "Send one request object.").About("request")
	}
	return nil
}

// holdToProfile refuses what the client's registration does not allow.
func holdToProfile(req *AuthorizationRequest, _ url.Values) error {
	if !req.Client.MayUse(loop.GrantAuthorizationCode) {
		return loop.Errorf(loop.UnauthorizedClient, "This client is not registered for the grant type authorization_code. An operator sets the grant types of an app.")
	}
	if req.Client.Protocol.Profile.Rules().PushedOnly && req.Handle == "" {
		return loop.Errorf(loop.InvalidRequest, "This app's profile is fapi2: push the request to /v1/oauth/par first, and send the request_uri that comes back.").About("request_uri")
	}
	return nil
}

// refuseUnsigned: a client can have it that only what it signed counts (RFC 9101
// §10.5).
func refuseUnsigned(req *AuthorizationRequest, _ url.Values) error {
	if req.Unsigned && req.Client.Protocol.RequireSignedRequestObject {
		return loop.Errorf(loop.InvalidRequest, "This app is registered to sign its requests: send them as a request object, in the parameter request.").About("request")
	}
	return nil
}

func readResponseType(_ *AuthorizationRequest, params url.Values) error {
	switch params.Get("response_type") {
	case "code":
		return nil
	case "":
		return loop.Errorf(loop.InvalidRequest, "The response_type is missing. Send response_type=code.").About("response_type")
	default:
		return loop.Errorf(loop.UnsupportedResponseType, "The response_type must be code.").About("response_type")
	}
}

func readScope(req *AuthorizationRequest, params url.Values) error {
	asked, err := loop.ParseScopes(params.Get("scope"))
	if err != nil {
		return err
	}
	req.Scopes, req.Names = asked.Scopes(), asked
	if beyond := req.Scopes.Without(req.Client.AllowedScopes); len(beyond) > 0 {
		return loop.Errorf(loop.InvalidScope, "This app may not ask for %s. Add it to the app's scopes in the developer portal, or leave it out.", beyond).About("scope")
	}
	if len(req.Scopes) == 0 {
		return loop.Errorf(loop.InvalidScope, "This request asks for nothing that a member could allow. Name at least one scope, such as openid.").About("scope")
	}
	return nil
}

func readNonce(req *AuthorizationRequest, params url.Values) error {
	req.Nonce = params.Get("nonce")
	if req.Nonce == "" && req.Client.RequireNonce {
		return loop.Errorf(loop.InvalidRequest, "This app requires a nonce. Send a new one with each request.").About("nonce")
	}
	if len(req.Nonce) > maxNonceLength {
		return loop.Errorf(loop.InvalidRequest, "The nonce is longer than %d bytes.", maxNonceLength).About("nonce")
	}
	return nil
}

func readChallenge(req *AuthorizationRequest, params url.Values) error {
	challenge, err := parseCodeChallenge(params.Get("code_challenge"))
	req.Challenge = challenge
	return err
}

// readChallengeMethod: only S256 is taken, since plain protects nothing where the
// request can be read (RFC 9700 §2.1.1). Where challenge and method are both
// missing, the one fault says so for both.
func readChallengeMethod(_ *AuthorizationRequest, params url.Values) error {
	method := params.Get("code_challenge_method")
	if method == "S256" || method == "" && !params.Has("code_challenge") {
		return nil
	}
	return loop.Errorf(loop.InvalidRequest, "The code_challenge_method must be S256. The default of the specification, plain, is not accepted.").About("code_challenge_method")
}

// readKey reads dpop_jkt: the key that the code is to be bound to (RFC 9449 §10).
func readKey(req *AuthorizationRequest, params url.Values) error {
	named := params.Get("dpop_jkt")
	if digest, err := base64.RawURLEncoding.Strict().DecodeString(named); named != "" && (err != nil || len(digest) != sha256.Size) {
		return loop.Errorf(loop.InvalidRequest, "The dpop_jkt must be the SHA-256 thumbprint of a key, in base64url: 43 characters.").About("dpop_jkt")
	}
	if req.Key == "" {
		req.Key = named
	}
	return nil
}

// readPrompt reads prompt (OpenID Connect Core §3.1.2.1): none stands alone.
func readPrompt(req *AuthorizationRequest, params url.Values) error {
	text := params.Get("prompt")
	if text == "" {
		return nil
	}
	known := map[string]*bool{"none": &req.Prompt.None, "login": &req.Prompt.Login, "consent": &req.Prompt.Consent, "select_account": &req.Prompt.SelectAccount}
	words := strings.Split(text, " ")
	for _, word := range words {
		wanted, ok := known[word]
		if !ok {
			return loop.Errorf(loop.InvalidRequest, "The prompt must be none, or any of login, consent and select_account.").About("prompt")
		}
		*wanted = true
	}
	if req.Prompt.None && len(words) > 1 {
		return loop.Errorf(loop.InvalidRequest, "The prompt none cannot be combined with another.").About("prompt")
	}
	return nil
}

// maxMaxAge is beyond any session's life; more says nothing and could overflow.
const maxMaxAge = 10 * 365 * 24 * 60 * 60

func readMaxAge(req *AuthorizationRequest, params url.Values) error {
	text := params.Get("max_age")
	if text == "" {
		return nil
	}
	seconds, err := strconv.ParseUint(text, 10, 31)
	if err != nil || seconds > maxMaxAge || text[0] == '+' {
		return loop.Errorf(loop.InvalidRequest, "The max_age must be a whole number of seconds, from 0 to ten years.").About("max_age")
	}
	age := time.Duration(seconds) * time.Second
	req.MaxAge = &age
	return nil
}

// readIDTokenHint finds whom the client expects. An expired ID token is a valid
// hint while its key is known (OpenID Connect Core §3.1.2.1).
func (s *Server) readIDTokenHint(req *AuthorizationRequest, params url.Values) error {
	hint := params.Get("id_token_hint")
	if hint == "" {
		return nil
	}
	claims, err := s.Minter.openIDToken(hint)
	if err != nil || claims.Audience != string(req.Client.ID) {
		return loop.Errorf(loop.InvalidRequest, "The id_token_hint is not an ID token that Loop issued to this app. Send one that this app was given, or none.").About("id_token_hint")
	}
	if req.Hinted != "" && req.Hinted != loop.MemberID(claims.Subject) {
		return loop.Errorf(loop.InvalidRequest, "The id_token_hint and the claims parameter name two different members.").About("id_token_hint")
	}
	req.Hinted = loop.MemberID(claims.Subject)
	return nil
}

// readResources reads for which resources tokens are asked for (RFC 8707 §2.1).
func (s *Server) readResources(req *AuthorizationRequest, params url.Values) (err error) {
	if err := s.Resources.checkAudience(params); err != nil {
		return err
	}
	req.Resources, err = s.Resources.readKnown(params)
	return err
}
