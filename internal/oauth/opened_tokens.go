package oauth

import (
	"slices"
	"strings"
	"sync"

	"github.com/loop-health/loop/internal/credential"
)

// openedAtMost bounds the access tokens that a process holds opened: about a kilobyte
// each.
const openedAtMost = 4096

// openedTokens holds access tokens that were opened, by their text, so that an app's
// next request with one needs no cipher. It spares the opening alone: whoever asks
// judges the token each time. What was opened under keys that the ring holds no more,
// or not just as it did, is opened again. Safe for concurrent use.
type openedTokens struct {
	mu    sync.RWMutex
	under any // what the ring held
	held  map[string]AccessToken
}

// open is openAccessToken. All callers share what is in the token, and none may alter
// it.
func (o *openedTokens) open(ring *credential.Ring, text string) (AccessToken, bool) {
	under := ring.Held()
	if token, ok := o.get(under, text); ok {
		return token, true
	}
	token, ok := openAccessToken(ring, text)
	if !ok {
		return AccessToken{}, false
	}
	clip(&token)
	o.put(under, text, token)
	return token, true
}

// clip takes from a token's lists the room behind them, so that who appends to one
// writes into a copy.
func clip(t *AccessToken) {
	t.Scopes, t.ServiceScopes, t.Audience = slices.Clip(t.Scopes), slices.Clip(t.ServiceScopes), slices.Clip(t.Audience)
	t.As.Own, t.As.Smart = slices.Clip(t.As.Own), slices.Clip(t.As.Smart)
}

func (o *openedTokens) get(under any, text string) (AccessToken, bool) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	token, ok := o.held[text]
	return token, ok && o.under == under
}

// put holds a token. Where there is no room, or the ring has changed, all others go.
func (o *openedTokens) put(under any, text string, token AccessToken) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.held == nil || o.under != under || len(o.held) >= openedAtMost {
		o.under, o.held = under, make(map[string]AccessToken)
	}
	o.held[strings.Clone(text)] = token // which may be part of a request's head
}
