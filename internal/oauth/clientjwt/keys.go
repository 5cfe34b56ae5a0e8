package clientjwt

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loop-health/loop/internal/loop"
)

// Fetcher gets documents from outside.
type Fetcher interface {
	// Get fetches a document of one of the content types; an error says why
	// there is none.
	Get(ctx context.Context, address string, accept ...string) ([]byte, error)
}

// Keys finds the public keys of clients: those registered, and those
// behind a jwks_uri, which it keeps for a while. Safe for concurrent use.
type Keys struct {
	Fetcher Fetcher
	World   loop.World

	mu      sync.Mutex
	fetched map[string]*fetchedKeys // by jwks_uri
}

// fetchedKeys is a key set that was fetched.
type fetchedKeys struct {
	fetching sync.Mutex // one fetch at a time for one address

	mu      sync.Mutex // guards what follows
	set     jose.JSONWebKeySet
	goodFor time.Time // until when the set is used
	triedAt time.Time
	err     error // of the last try
}

// How long fetched keys are used, and how soon an unknown key may have them
// fetched again: a stranger who sends made-up ones causes little traffic.
const (
	keySetLife      = 10 * time.Minute
	keySetRefetch   = 30 * time.Second
	maxFetchedSets  = 10_000
	contentTypeJWKS = "application/jwk-set+json"
	contentTypeJSON = "application/json"
)

// errNoKeys is answered for a client that registered none.
var errNoKeys = errors.New("the client has no keys registered")

// Of gives the client's keys; where they are fetched, the set is renewed once if
// it has not what is looked for. A renewal that fails takes nothing away.
func (k *Keys) Of(ctx context.Context, client *loop.Client, has func(jose.JSONWebKeySet) bool) (jose.JSONWebKeySet, error) {
	switch {
	case client.Protocol.KeySet != nil:
		return ParseKeySet(client.Protocol.KeySet)
	case client.Protocol.KeySetURI == "":
		return jose.JSONWebKeySet{}, errNoKeys
	}
	kept := k.slot(client.Protocol.KeySetURI)
	if set, ok := kept.holding(has, k.World.Now()); ok {
		return set, nil
	}
	kept.fetching.Lock()
	defer kept.fetching.Unlock()
	now := k.World.Now()
	if set, ok := kept.holding(has, now); ok {
		return set, nil // somebody else has just fetched it
	}
	if now.Sub(kept.triedAt) >= keySetRefetch {
		// Whoever asks may be a stranger, and hang up.
		set, err := k.fetch(context.WithoutCancel(ctx), client.Protocol.KeySetURI)
		kept.keep(set, err, k.World.Now())
	}
	return kept.now(k.World.Now())
}

// holding gives the set if it is good and has what is looked for.
func (f *fetchedKeys) holding(has func(jose.JSONWebKeySet) bool, now time.Time) (jose.JSONWebKeySet, bool) {
	f.mu.Lock()
	set, good := f.set, now.Before(f.goodFor)
	f.mu.Unlock()
	return set, good && has(set)
}

// keep notes what a fetch came to.
func (f *fetchedKeys) keep(set jose.JSONWebKeySet, err error, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.triedAt, f.err = now, err
	if err == nil {
		f.set, f.goodFor = set, now.Add(keySetLife)
	}
}

// now gives the set while it is good, else why there is none.
func (f *fetchedKeys) now(now time.Time) (jose.JSONWebKeySet, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now.Before(f.goodFor) {
		return f.set, nil
	}
	return jose.JSONWebKeySet{}, f.err
}

// slot is the place of an address in memory. A full memory is emptied: what is
// still needed is fetched again.
func (k *Keys) slot(address string) *fetchedKeys {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fetched == nil || len(k.fetched) >= maxFetchedSets {
		k.fetched = map[string]*fetchedKeys{}
	}
	if k.fetched[address] == nil {
		k.fetched[address] = &fetchedKeys{}
	}
	return k.fetched[address]
}

func (k *Keys) fetch(ctx context.Context, address string) (jose.JSONWebKeySet, error) {
	body, err := k.Fetcher.Get(ctx, address, contentTypeJWKS, contentTypeJSON)
	if err != nil {
		return jose.JSONWebKeySet{}, fmt.Errorf("fetching the client's keys: %w", err)
	}
	set, unusable, err := readKeySet(body)
	if err == nil && len(set.Keys) == 0 {
		err = unusable
	}
	return set, err
}
