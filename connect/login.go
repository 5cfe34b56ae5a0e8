package connect

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Flow is one member's way to Loop and back. It stays with their browser, sealed; who
// has another browser cannot end it.
type Flow struct {
	State    Secret // comes back with the answer
	Nonce    Secret // comes back in the ID token
	Verifier Secret // of PKCE (RFC 7636)
	ReturnTo string // where the member goes then, a path of the app's own
}

// Login is who came back, with what they allow.
type Login struct {
	Member   string // the member's id at Loop, the same for ever
	Tokens   Tokens // kept already
	ReturnTo string // of the flow
}

// Begin begins a flow and gives the address to send the member's browser to. ReturnTo
// is a path of the app's own, of 512 bytes at most; anything else becomes AfterLogin. The flow has to come
// back from the same browser: for those with a router of their own, LoginHandler does
// it all.
func (c *Client) Begin(ctx context.Context, returnTo string) (address string, flow Flow, err error) {
	at, err := c.discovery.get(ctx)
	if err != nil {
		return "", flow, err
	}
	flow = Flow{State: Secret(randomText()), Nonce: Secret(randomText()), Verifier: Secret(oauth2.GenerateVerifier()), ReturnTo: localPath(returnTo)}
	if flow.ReturnTo == "" {
		flow.ReturnTo = c.config.AfterLogin
	}
	query := url.Values{
		"response_type": {"code"}, "client_id": {c.config.ClientID}, "redirect_uri": {c.config.RedirectURL},
		"scope": {strings.Join(c.config.Scopes, " ")}, "state": {string(flow.State)}, "nonce": {string(flow.Nonce)},
		"code_challenge": {oauth2.S256ChallengeFromVerifier(string(flow.Verifier))}, "code_challenge_method": {"S256"},
	}
	return at.Authorization + "?" + query.Encode(), flow, nil
}

// ErrForeignAnswer says that an answer does not belong to the flow of this browser: it
// is old, it was forged, or it comes from somebody else's authorization server.
var ErrForeignAnswer = errors.New("this answer does not belong to a request from this browser")

// Finish takes the answer's parameters, exchanges the code, checks who came back, and
// keeps their tokens. A member who declined is an *Error with the code access_denied.
func (c *Client) Finish(ctx context.Context, flow Flow, answer url.Values) (*Login, error) {
	at, err := c.discovery.get(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.belongs(at, flow, answer); err != nil {
		return nil, err
	}
	if code := answer.Get("error"); code != "" {
		return nil, &Error{Code: code, Description: answer.Get("error_description"), Page: answer.Get("error_uri")}
	}
	got, tokens, err := c.redeem(ctx, flow, answer.Get("code"))
	if err != nil {
		return nil, err
	}
	login := &Login{Tokens: tokens, ReturnTo: flow.ReturnTo}
	if err := c.verify(ctx, at, flow, got, login); err != nil {
		return nil, err
	}
	if err := c.config.Store.Save(ctx, login.Member, -1, tokens); err != nil {
		return nil, fmt.Errorf("keeping a member's tokens: %w", err)
	}
	return login, nil
}

// belongs checks that the answer is to this flow, and from this issuer (RFC 6749
// §10.12, RFC 9207 §2.4).
func (c *Client) belongs(at *endpoints, flow Flow, answer url.Values) error {
	for _, name := range []string{"state", "code", "error", "iss"} {
		if len(answer[name]) > 1 {
			return fmt.Errorf("%w: %s is there twice", ErrForeignAnswer, name)
		}
	}
	if flow.State == "" || subtle.ConstantTimeCompare([]byte(answer.Get("state")), []byte(flow.State)) != 1 {
		return fmt.Errorf("%w: its state is another", ErrForeignAnswer)
	}
	issuer, named := answer["iss"]
	if named && issuer[0] != c.config.Issuer || !named && at.SendsIssuer {
		return fmt.Errorf("%w: it is not from %s", ErrForeignAnswer, c.config.Issuer)
	}
	return nil
}

// redeem exchanges the code. It asks again only where nothing was done.
func (c *Client) redeem(ctx context.Context, flow Flow, code string) (*answered, Tokens, error) {
	var waits patience
	for attempt := 1; ; attempt++ {
		got, asked, err := c.token(ctx, url.Values{
			"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {c.config.RedirectURL}, "code_verifier": {string(flow.Verifier)},
		})
		if err == nil {
			return got, got.tokens(asked), nil
		}
		known, answered := errors.AsType[*Error](err)
		if !answered || known.RetryAfter == 0 || attempt >= maxAttempts {
			return nil, Tokens{}, err
		}
		if wait := max(backOff(attempt), known.RetryAfter); !waits.allows(ctx, wait) || sleep(ctx, wait) != nil {
			return nil, Tokens{}, err
		}
	}
}

// clockSkew is by how much an app's clock may be ahead of Loop's: ID tokens live for
// five minutes, and arrive from Loop itself in the answer to the app's own request.
const clockSkew = 5 * time.Minute

// verify holds the ID token to the issuer, the app and the flow (OpenID Connect Core
// §3.1.3.7).
func (c *Client) verify(ctx context.Context, at *endpoints, flow Flow, got *answered, login *Login) error {
	verifier := at.provider.VerifierContext(oidc.ClientContext(context.WithoutCancel(ctx), c.http), &oidc.Config{ClientID: c.config.ClientID, SkipExpiryCheck: true})
	token, err := verifier.Verify(ctx, string(got.IDToken))
	if err != nil {
		return fmt.Errorf("checking the ID token: %w", err)
	}
	if now := c.config.Now(); now.After(token.Expiry.Add(clockSkew)) {
		return fmt.Errorf("checking the ID token: it expired at %s, and here it is %s: does this machine's clock go right?", token.Expiry.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	if err := isWhole(token); err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(flow.Nonce)) != 1 {
		return fmt.Errorf("%w: the ID token's nonce is another", ErrForeignAnswer)
	}
	if token.AccessTokenHash != "" {
		if err := token.VerifyAccessToken(string(got.Access)); err != nil {
			return fmt.Errorf("checking the ID token: %w", err)
		}
	}
	login.Member = token.Subject
	return nil
}

// isWhole checks that an ID token has what each must have and go-oidc does not ask for
// (OpenID Connect Core §2): without sub, all members would be one.
func isWhole(token *oidc.IDToken) error {
	switch {
	case token.Subject == "":
		return errors.New("checking the ID token: it has no sub")
	case token.IssuedAt.IsZero():
		return errors.New("checking the ID token: it has no iat")
	}
	return nil
}

// verifyRefreshed holds the ID token of a refresh, where one came, to the issuer, the
// app and the member (OpenID Connect Core §12.2). It came from Loop itself over TLS, so
// its signature proves nothing more (§3.1.3.7, 6), and no key has to be fetched, which
// could fail when the refresh token before is used up.
func (c *Client) verifyRefreshed(ctx context.Context, member string, got *answered) error {
	if got.IDToken == "" {
		return nil
	}
	unsigned := oidc.NewVerifier(c.config.Issuer, nil, &oidc.Config{
		ClientID: c.config.ClientID, SkipExpiryCheck: true, InsecureSkipSignatureCheck: true,
		SupportedSigningAlgs: []string{oidc.ES256, oidc.EdDSA, oidc.RS256, oidc.PS256},
	})
	token, err := unsigned.Verify(ctx, string(got.IDToken))
	if err != nil {
		return fmt.Errorf("%w: %w", errForeignToken, err)
	}
	if err := isWhole(token); err != nil {
		return fmt.Errorf("%w: %w", errForeignToken, err)
	}
	if token.Subject != member {
		return fmt.Errorf("%w: it is of another member", errForeignToken)
	}
	return nil
}

// errForeignToken says that a refresh was answered with somebody else's ID token. What
// came with it is not kept.
var errForeignToken = errors.New("the ID token of a refresh is not this member's")

// maxReturnTo bounds the path that a flow leads back to: it is kept in a cookie.
const maxReturnTo = 512

// localPath gives a path of the app's own, with its query; empty where the text is
// none, or is longer than 512 bytes: nobody is led to another's page (CWE-601).
func localPath(text string) string {
	u, err := url.Parse(text)
	if err != nil || len(text) > maxReturnTo || !strings.HasPrefix(text, "/") || strings.HasPrefix(text, "//") || strings.ContainsAny(text, "\\\r\n\t") ||
		u.Scheme != "" || u.Host != "" || u.User != nil {
		return ""
	}
	return text
}
