package portal

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/loop-health/loop/internal/loop"
)

// Bounds of an answer that the playground waits for and reads.
const (
	playTimeout  = 10 * time.Second
	maxPlayBody  = 64 << 10
	maxPlayShown = 4 << 10
)

// playAnswer is what came back, with what it means.
type playAnswer struct {
	Request playRequest
	Status  string
	Header  []playParameter
	Body    string
	Means   string
	Log     string // the page of this request in the request log; empty: there is none
	Error   loop.Code

	body tokenAnswer
	ok   bool
}

// tokenAnswer is what the playground reads of an answer.
type tokenAnswer struct {
	Access  string    `json:"access_token"`
	Refresh string    `json:"refresh_token"`
	IDToken string    `json:"id_token"`
	Scope   string    `json:"scope"`
	Error   loop.Code `json:"error"`
}

// sendPlay sends a request of the playground, as the app would.
func (h *Host) sendPlay(ctx context.Context, q playRequest, p *play) (*playAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, playTimeout)
	defer cancel()
	request, err := q.request(ctx, p)
	if err != nil {
		return nil, err
	}
	response, err := h.identity.client.Do(request)
	if err != nil {
		return nil, loop.Errorf(loop.TemporarilyUnavailable, "The playground could not reach %s. Try again in a little while.", request.URL.Host).Because(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxPlayBody))
	if err != nil {
		return nil, loop.Errorf(loop.TemporarilyUnavailable, "The answer ended before it was complete. Whether the request was carried out is not known: start over.").Because(err)
	}
	answer := &playAnswer{Request: q, Status: response.Status, Body: readable(body), ok: response.StatusCode == http.StatusOK}
	_ = json.Unmarshal(body, &answer.body) // what is no JSON has none of it
	answer.Error = answer.body.Error
	for _, name := range []string{"Content-Type", "Cache-Control", "WWW-Authenticate", "Retry-After", "X-Request-Id"} {
		if value := response.Header.Get(name); value != "" {
			answer.Header = append(answer.Header, playParameter{Name: name, Value: value})
		}
	}
	if id := loop.RequestID(response.Header.Get("X-Request-Id")); id.Valid() {
		answer.Log = requestPath(id)
	}
	answer.Means = meaning(q.Action, answer)
	return answer, nil
}

func (q playRequest) request(ctx context.Context, p *play) (*http.Request, error) {
	address, body := q.Address, io.Reader(nil)
	if q.Method == http.MethodPost {
		body = strings.NewReader(q.values().Encode())
	} else if len(q.Parameters) > 0 {
		address = q.URL()
	}
	request, err := http.NewRequestWithContext(ctx, q.Method, address, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if q.Bearer != "" {
		request.Header.Set("Authorization", "Bearer "+q.Bearer)
	}
	if q.Basic {
		request.SetBasicAuth(url.QueryEscape(string(p.Client)), url.QueryEscape(p.Secret)) // RFC 6749 §2.3.1
	}
	return request, nil
}

// readable is a body as it is shown: JSON indented, and no more than a screen or two.
func readable(body []byte) string {
	var indented bytes.Buffer
	if json.Indent(&indented, body, "", "  ") == nil {
		body = indented.Bytes()
	}
	if len(body) > maxPlayShown {
		return strings.ToValidUTF8(string(body[:maxPlayShown]), "") + "\n…"
	}
	return string(body)
}

// meaning says what an answer to one of the requests means.
func meaning(action string, a *playAnswer) string {
	switch {
	case !a.ok && action == "reuse" && a.Error == loop.InvalidGrant:
		return "As it should be: the token was used before, so Loop took it for stolen and ended everything that the member allowed this app. Read lab results or refresh now: both are refused."
	case !a.ok && a.Error == loop.InvalidGrant:
		return "The code or token is not good any more: expired, used, or ended with the member's consent. An app sends the member through authorization again."
	case !a.ok && a.Error == loop.InvalidToken:
		return "The access token is dead: it ended with what it came from. An app refreshes; where that is refused too, it shows its Connect button again."
	case !a.ok && a.Error == loop.InvalidClient:
		return "The app did not prove itself: the secret is another one. Start over, and paste the app's secret."
	case !a.ok:
		return "The request was refused; the answer says why."
	case action == "exchange":
		return "The tokens are here. scope is what the member allowed, which may be less than was asked for. The access token works for expires_in seconds; the refresh token until it is used; the ID token says who signed in, and is checked below."
	case action == "refresh":
		return "A new pair. The refresh token before has ended; the playground keeps it, so that you can see what a second use does."
	case action == "revoke":
		return "Revoked. The answer is the same for a token that there never was: nobody learns anything from it (RFC 7009 §2.2)."
	case action == "read":
		return "Lab results of the member who allowed it: values are decimals with the laboratory's digits, units are UCUM."
	}
	return "What the member allowed the app to know of them."
}

// decodedToken is an ID token, taken apart and checked.
type decodedToken struct {
	Header, Payload string
	Checks          []tokenCheck
}

type tokenCheck struct {
	What string
	OK   bool
}

// decode takes an ID token apart and makes the checks of OpenID Connect Core §3.1.3.7
// on it, by the library that the portal itself uses.
func (h *Host) decode(ctx context.Context, p *play) (*decodedToken, error) {
	parts := strings.Split(p.IDToken, ".")
	if len(parts) != 3 {
		return nil, nil //nolint:nilnil // there is none where openid was not allowed
	}
	ctx = h.identity.within(ctx)
	provider, _, err := h.identity.discover(ctx)
	if err != nil {
		return nil, err
	}
	d := &decodedToken{Header: claimsOf(parts[0]), Payload: claimsOf(parts[1])}
	token, err := provider.Verifier(&oidc.Config{ClientID: string(p.Client), Now: h.site.World.Now}).Verify(ctx, p.IDToken)
	d.check(fmt.Sprintf("The signature is by a key of %s/v1/oauth's key set; iss, aud and exp are right", h.identity.issuer), err == nil)
	if err == nil {
		d.check("nonce is the one that was sent", token.Nonce == p.Nonce)
		d.check("at_hash belongs to the access token", token.AccessTokenHash == "" || token.VerifyAccessToken(p.Access) == nil)
	}
	return d, nil
}

func (d *decodedToken) check(what string, ok bool) { d.Checks = append(d.Checks, tokenCheck{what, ok}) }

// claimsOf is a part of a JWT as readable JSON.
func claimsOf(part string) string {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return part
	}
	return readable(raw)
}
