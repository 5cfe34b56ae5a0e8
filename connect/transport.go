package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// transport sends a member's requests to the API: with an access token that is good,
// and again where that is safe.
type transport struct {
	client *Client
	member string
}

// Format shows whose it is, whatever the verb.
func (t *transport) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "transport of ", t.member) }

// scheme is how access tokens are presented (RFC 6750 §2.1, RFC 9449 §7.1).
func (c *Client) scheme() string {
	if c.proofs != nil {
		return "DPoP"
	}
	return "Bearer"
}

// RoundTrip sends a request. Requests to other hosts than Loop's are refused: a token
// is for Loop alone.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	defer closeBody(r)
	if origin := r.URL.Scheme + "://" + r.URL.Host; origin != originOf(t.client.config.API) && origin != originOf(t.client.config.Issuer) {
		return nil, fmt.Errorf("connect: a member's token is for %s alone, and the request is to %s", t.client.config.API, r.URL.Host)
	}
	ctx := r.Context()
	tokens, err := t.client.Tokens(ctx, t.member)
	if err != nil {
		return nil, err
	}
	refreshed, waits := false, patience{}
	for attempt := 1; ; attempt++ {
		response, err := t.send(r, tokens.Access, attempt)
		switch {
		case err == nil && response.StatusCode == http.StatusUnauthorized && !refreshed && mayRepeat(r, response):
			// It was revoked or rotated under us: once, a new one is worth a try.
			drain(response)
			refreshed = true
			if tokens, err = t.client.refreshOnce(ctx, t.member, tokens.Access); err != nil {
				return nil, err
			}
			continue
		case !isPassing(response, err) || !mayRepeat(r, response) || attempt >= maxAttempts:
			return response, err
		}
		wait := backOff(attempt)
		if response != nil {
			wait = max(wait, retryAfter(response.Header))
		}
		if !waits.allows(ctx, wait) {
			return response, err
		}
		if response != nil {
			drain(response)
		}
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "" // New has checked it
	}
	return u.Scheme + "://" + u.Host
}

// send sends the request once, and once more where only a nonce was missing.
func (t *transport) send(r *http.Request, access Secret, attempt int) (*http.Response, error) {
	for again := false; ; again = true {
		copied, err := t.copyOf(r, access)
		if err != nil {
			return nil, err
		}
		done := t.client.hook(r.Context(), copied, attempt)
		response, err := t.client.http.Do(copied)
		if err != nil {
			done(0, err)
			return nil, err
		}
		done(response.StatusCode, nil)
		if t.client.proofs == nil || !t.client.proofs.heed(response) || again || r.Body != nil && r.GetBody == nil {
			return response, nil
		}
		drain(response)
	}
}

// copyOf is the request with a token: a RoundTripper may not change the one it is given.
func (t *transport) copyOf(r *http.Request, access Secret) (*http.Request, error) {
	copied := r.Clone(r.Context())
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		copied.Body = body
	}
	copied.Header.Set("Authorization", t.client.scheme()+" "+string(access))
	if t.client.proofs != nil {
		return copied, t.client.proofs.put(copied, access)
	}
	return copied, nil
}

// isPassing reports whether what happened may be over soon.
func isPassing(response *http.Response, err error) bool {
	if err != nil {
		return !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
	}
	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// mayRepeat reports whether sending the request twice is the same as once, and whether
// it can be sent again at all. Of a request that was refused unread (401, 429) nothing
// was done.
func mayRepeat(r *http.Request, response *http.Response) bool {
	if r.Body != nil && r.Body != http.NoBody && r.GetBody == nil {
		return false
	}
	if response != nil && (response.StatusCode == http.StatusTooManyRequests || response.StatusCode == http.StatusUnauthorized) {
		return true
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
		return true
	}
	return r.Header.Get("Idempotency-Key") != ""
}

// drain reads what is left of an answer, so that its connection can be used again.
func drain(response *http.Response) {
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxErrorBody)) // nobody needs it
	_ = response.Body.Close()
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
}
