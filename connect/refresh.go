package connect

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

// ahead is how long before its expiry an access token is renewed, so that none expires
// before it arrives.
const ahead = 30 * time.Second

// refreshes has the goroutines of a process that want the same wait for one of them.
type refreshes struct {
	mu      sync.Mutex
	running map[string]*refreshing
}

type refreshing struct {
	done   chan struct{}
	tokens Tokens
	err    error
}

// Tokens gives the member's tokens with an access token that is good, refreshed where
// it has to be. ErrReconnect: the member has to connect again. ErrNoTokens: they never
// did.
func (c *Client) Tokens(ctx context.Context, member string) (Tokens, error) {
	stored, err := c.config.Store.Load(ctx, member)
	if err != nil {
		return Tokens{}, err
	}
	if c.isFresh(stored.Tokens) {
		return stored.Tokens, nil
	}
	return c.refreshOnce(ctx, member, stored.Access)
}

// Refresh gets the member a new pair of tokens now, whether or not the old one is
// still good. Tokens does it by itself, where it has to.
func (c *Client) Refresh(ctx context.Context, member string) (Tokens, error) {
	stored, err := c.config.Store.Load(ctx, member)
	if err != nil {
		return Tokens{}, err
	}
	return c.refreshOnce(ctx, member, stored.Access)
}

func (c *Client) isFresh(t Tokens) bool {
	return t.Access != "" && c.config.Now().Add(ahead).Before(t.Expiry)
}

// refreshOnce refreshes, or waits for whoever in this process does. Stale is the access
// token that is of no use any more.
func (c *Client) refreshOnce(ctx context.Context, member string, stale Secret) (Tokens, error) {
	c.refreshes.mu.Lock()
	one, runs := c.refreshes.running[member]
	if !runs {
		one = &refreshing{done: make(chan struct{})}
		c.refreshes.running[member] = one
	}
	c.refreshes.mu.Unlock()
	if !runs {
		// Whoever began may go away: the others, and the new tokens, must not go with them.
		go func() {
			bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshTimeout)
			defer cancel()
			one.tokens, one.err = c.refresh(bounded, member, stale)
			c.refreshes.mu.Lock()
			delete(c.refreshes.running, member)
			c.refreshes.mu.Unlock()
			close(one.done)
		}()
	}
	select {
	case <-one.done:
		return one.tokens, one.err
	case <-ctx.Done():
		return Tokens{}, ctx.Err()
	}
}

// refreshTimeout bounds a refresh with all its attempts.
const refreshTimeout = time.Minute

// refresh exchanges the refresh token for the next pair, and keeps that before anybody
// uses it: one at a time, over all processes.
func (c *Client) refresh(ctx context.Context, member string, stale Secret) (Tokens, error) {
	unlock, err := c.config.Store.Lock(ctx, member)
	if err != nil {
		return Tokens{}, fmt.Errorf("waiting for the member's refresh: %w", err)
	}
	defer unlock()
	stored, err := c.config.Store.Load(ctx, member)
	if err != nil {
		return Tokens{}, err
	}
	if stored.Access != stale && c.isFresh(stored.Tokens) { // another process was faster
		return stored.Tokens, nil
	}
	if stored.Refresh == "" {
		return Tokens{}, reconnect(errors.New("there is no refresh token any more"))
	}
	next, err := c.exchangeRefresh(ctx, member, stored.Refresh)
	if isCode(err, "invalid_grant") || errors.Is(err, errLost) || errors.Is(err, errForeignToken) {
		return c.giveUp(ctx, member, stored, err)
	}
	if err != nil {
		return Tokens{}, err
	}
	return c.keep(ctx, member, stored.Version, next)
}

// exchangeRefresh asks for the next pair. It asks again where nothing can have been
// done, and, within the app's grace period, where it may have been: the answer is the
// same then.
func (c *Client) exchangeRefresh(ctx context.Context, member string, token Secret) (Tokens, error) {
	var (
		mayBeDone time.Time // since when, by this machine's clock; zero: no attempt was lost
		waits     patience
	)
	for attempt := 1; ; attempt++ {
		got, asked, err := c.token(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {string(token)}})
		if err == nil {
			next := got.tokens(asked)
			if next.Refresh == "" { // it was not rotated
				next.Refresh = token
			}
			if err := c.verifyRefreshed(ctx, member, got); err != nil {
				return Tokens{}, err
			}
			return next, nil
		}
		wait := backOff(attempt)
		switch known, answered := errors.AsType[*Error](err); {
		case isLost(err):
			if mayBeDone.IsZero() {
				mayBeDone = time.Now()
			}
		case answered && known.RetryAfter > 0:
			wait = max(wait, known.RetryAfter)
		case errors.Is(err, errNotSent):
		default:
			return Tokens{}, err
		}
		if over := c.isOver(mayBeDone, wait, attempt) || !waits.allows(ctx, wait); over || sleep(ctx, wait) != nil {
			if !mayBeDone.IsZero() {
				err = fmt.Errorf("%w: %w", errLost, err)
			}
			return Tokens{}, err
		}
	}
}

// isOver reports whether there is no other attempt after a wait: the grace period ends
// before it, or enough was tried.
func (c *Client) isOver(mayBeDone time.Time, wait time.Duration, attempt int) bool {
	if mayBeDone.IsZero() {
		return attempt >= maxAttempts
	}
	return time.Since(mayBeDone)+wait >= c.config.RefreshGrace
}

// isLost reports whether something may have been carried out though it failed.
func isLost(err error) bool {
	known, answered := errors.AsType[*Error](err)
	return errors.Is(err, errLost) || answered && known.Status >= 500 && known.RetryAfter == 0
}

// keep saves a new pair. Where the member connected again meanwhile, theirs is newer.
func (c *Client) keep(ctx context.Context, member string, version int64, next Tokens) (Tokens, error) {
	err := c.config.Store.Save(ctx, member, version, next)
	if errors.Is(err, ErrChanged) {
		stored, err := c.config.Store.Load(ctx, member)
		return stored.Tokens, err
	}
	if err != nil {
		return Tokens{}, fmt.Errorf("keeping the new tokens of a member, whose old ones are used up: %w", err)
	}
	return next, nil
}

// giveUp forgets tokens that Loop accepts no more, so that nobody asks again and again.
// Where the member connected again meanwhile, they go on with that.
func (c *Client) giveUp(ctx context.Context, member string, stored Stored, cause error) (Tokens, error) {
	err := c.config.Store.Save(ctx, member, stored.Version, Tokens{})
	if errors.Is(err, ErrChanged) {
		if again, err := c.config.Store.Load(ctx, member); err == nil && c.isFresh(again.Tokens) {
			return again.Tokens, nil
		}
	}
	c.config.Log.WarnContext(ctx, "a member has to connect Loop again", "member", member, "cause", cause)
	return Tokens{}, reconnect(cause)
}

// Forget gives the member's tokens back to Loop, which ends them, and forgets them.
func (c *Client) Forget(ctx context.Context, member string) error {
	stored, err := c.config.Store.Load(ctx, member)
	if errors.Is(err, ErrNoTokens) {
		return nil
	}
	if err != nil {
		return err
	}
	if stored.Refresh != "" {
		if err := c.revoke(ctx, stored.Refresh); err != nil {
			return fmt.Errorf("giving a member's tokens back: %w", err)
		}
	}
	return c.config.Store.Delete(ctx, member)
}

// revoke ends a refresh token and all that came from it (RFC 7009).
func (c *Client) revoke(ctx context.Context, token Secret) error {
	at, err := c.discovery.get(ctx)
	if err != nil {
		return err
	}
	response, err := c.post(ctx, at.Revocation, url.Values{"token": {string(token)}})
	if err != nil {
		return err
	}
	if response.StatusCode != 200 {
		return errorOf(response)
	}
	return response.Body.Close()
}

// TokenSource gives the member's access tokens to whatever takes an
// oauth2.TokenSource. Refreshed pairs are kept in the Store before they are given; no
// refresh token leaves it. The context bounds each refresh.
func (c *Client) TokenSource(ctx context.Context, member string) oauth2.TokenSource {
	return tokenSource{ctx, c, member}
}

type tokenSource struct {
	ctx    context.Context //nolint:containedctx // oauth2.TokenSource has no other place for it
	client *Client
	member string
}

// Format shows whose it is, whatever the verb.
func (s tokenSource) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "TokenSource of ", s.member) }

// Token gives an access token that is good.
func (s tokenSource) Token() (*oauth2.Token, error) {
	tokens, err := s.client.Tokens(s.ctx, s.member)
	if err != nil {
		return nil, err
	}
	return &oauth2.Token{AccessToken: string(tokens.Access), TokenType: s.client.scheme(), Expiry: tokens.Expiry}, nil
}
