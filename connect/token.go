package connect

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

func randomText() string { return rand.Text() }

// answered is what the token endpoint gives (RFC 6749 §5.1).
type answered struct {
	Access    Secret `json:"access_token"`
	Refresh   Secret `json:"refresh_token"`
	ExpiresIn int64  `json:"expires_in"`
	Scope     string `json:"scope"`
	IDToken   Secret `json:"id_token"`
}

// How long an access token lives where the answer does not say (RFC 6749 §5.1), and
// beyond what it can't mean what it says, in seconds.
const (
	defaultLife = 60 * 60
	longestLife = 365 * 24 * 60 * 60
)

func (a *answered) tokens(asked time.Time) Tokens {
	life := a.ExpiresIn
	if life <= 0 || life > longestLife {
		life = defaultLife
	}
	return Tokens{
		Access: a.Access, Refresh: a.Refresh, Scopes: strings.Fields(a.Scope),
		Expiry: asked.Add(time.Duration(life) * time.Second),
	}
}

// errLost is a request whose answer did not arrive: it may have been carried out.
var errLost = errors.New("no answer came, and nobody knows whether it was carried out")

// errNotSent is a request that never left: nothing was done.
var errNotSent = errors.New("the request did not reach Loop")

// token asks the token endpoint, once. An error is Loop's (*Error), or errLost or
// errNotSent is in it.
func (c *Client) token(ctx context.Context, form url.Values) (*answered, time.Time, error) {
	at, err := c.discovery.get(ctx)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("%w: %w", errNotSent, err)
	}
	asked := c.config.Now()
	response, err := c.post(ctx, at.Token, form)
	if err != nil {
		return nil, asked, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, asked, errorOf(response)
	}
	defer response.Body.Close() //nolint:errcheck // it is read to its end
	var got answered
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil || got.Access == "" {
		return nil, asked, fmt.Errorf("%w: the answer was cut off: %w", errLost, err)
	}
	return &got, asked, nil
}

// post sends a form as the app, with a proof where tokens are bound to one.
func (c *Client) post(ctx context.Context, address string, form url.Values) (*http.Response, error) {
	for again := false; ; again = true {
		r, err := c.formRequest(ctx, address, form)
		if err != nil {
			return nil, err
		}
		done := c.hook(ctx, r, 1)
		response, err := c.http.Do(r)
		if err != nil {
			done(0, err)
			if neverLeft(err) {
				return nil, fmt.Errorf("%w: %w", errNotSent, err)
			}
			return nil, fmt.Errorf("%w: %w", errLost, err)
		}
		done(response.StatusCode, nil)
		if c.proofs == nil || !c.proofs.heed(response) || again {
			return response, nil
		}
		_ = response.Body.Close() // it says that a nonce is missing, and nothing was done
	}
}

// neverLeft reports whether a request failed before there was a connection for it.
func neverLeft(err error) bool {
	failed, ok := errors.AsType[*net.OpError](err)
	return ok && failed.Op == "dial"
}

func (c *Client) formRequest(ctx context.Context, address string, form url.Values) (*http.Request, error) {
	form.Set("client_id", c.config.ClientID)
	if c.config.ClientSecret != "" && !c.config.BasicAuth {
		form.Set("client_secret", string(c.config.ClientSecret))
	}
	if c.config.ClientKey != nil { // an assertion works once: each attempt has its own
		assertion, err := c.config.ClientKey.assert(c.config.ClientID, c.config.Issuer, c.config.Now())
		if err != nil {
			return nil, err
		}
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", assertion)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if c.config.BasicAuth { // form-encoded within, as RFC 6749 §2.3.1 has it
		r.SetBasicAuth(url.QueryEscape(c.config.ClientID), url.QueryEscape(string(c.config.ClientSecret)))
	}
	if c.proofs != nil {
		return r, c.proofs.put(r, "")
	}
	return r, nil
}

// hook reports a request; what it gives is never nil.
func (c *Client) hook(ctx context.Context, r *http.Request, attempt int) (done func(status int, err error)) {
	if c.config.Hooks.Request != nil {
		if done = c.config.Hooks.Request(ctx, r.Method, r.URL.Path, attempt); done != nil {
			return done
		}
	}
	return func(int, error) {}
}
