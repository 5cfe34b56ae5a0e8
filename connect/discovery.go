package connect

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// How long what Loop says of itself is believed without asking, and how long after a
// question that failed it is asked again.
const (
	keepDiscovery  = time.Hour
	retryDiscovery = 10 * time.Second
)

// endpoints are the addresses at which an app asks, and who checks ID tokens.
type endpoints struct {
	provider *oidc.Provider

	Authorization string `json:"authorization_endpoint"`
	Token         string `json:"token_endpoint"`
	Revocation    string `json:"revocation_endpoint"`
	UserInfo      string `json:"userinfo_endpoint"`
	// SendsIssuer says that each answer by redirect names its issuer (RFC 9207).
	SendsIssuer bool `json:"authorization_response_iss_parameter_supported"`
}

// discovery is what Loop says of itself. It is asked for beside the callers: they go
// on with what was found last, and wait only where there is nothing yet.
type discovery struct {
	issuer string
	http   *http.Client
	now    func() time.Time

	mu      sync.Mutex
	found   *endpoints // nil: nothing yet
	until   time.Time  // when it is asked for again
	running *asking    // nil: nobody asks
}

// asking is a request that has no answer yet.
type asking struct {
	done chan struct{}
	err  error // once done
}

// newDiscovery asks with the app's own client, but waits no longer than a request may
// take: nobody would end a question that hangs.
func newDiscovery(issuer string, client *http.Client, now func() time.Time) *discovery {
	quick := *client
	if quick.Timeout == 0 {
		quick.Timeout = requestTimeout
	}
	return &discovery{issuer: issuer, http: &quick, now: now}
}

// get gives the endpoints. While Loop can't be asked, those of before are good.
func (d *discovery) get(ctx context.Context) (*endpoints, error) {
	found, running := d.current()
	if found != nil {
		return found, nil
	}
	select {
	case <-running.done:
	case <-ctx.Done():
		return nil, fmt.Errorf("discovering %s: %w", d.issuer, ctx.Err())
	}
	if running.err != nil {
		return nil, fmt.Errorf("discovering %s: %w", d.issuer, running.err)
	}
	found, _ = d.current()
	return found, nil
}

// current gives what was found, and the request that has no answer yet; never neither: it
// begins one where nothing is there, or where that is old.
func (d *discovery) current() (*endpoints, *asking) {
	d.mu.Lock()
	defer d.mu.Unlock()
	old := d.found == nil || !d.now().Before(d.until)
	if old && d.running == nil {
		d.running = &asking{done: make(chan struct{})}
		go d.ask(d.running)
	}
	return d.found, d.running
}

// ask asks Loop. The provider keeps its context to fetch keys by, later.
func (d *discovery) ask(this *asking) {
	provider, err := oidc.NewProvider(oidc.ClientContext(context.Background(), d.http), d.issuer)
	found := &endpoints{provider: provider}
	if err == nil {
		err = provider.Claims(found)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.running = nil
	if err == nil {
		d.found, d.until = found, d.now().Add(keepDiscovery)
	} else {
		d.until = d.now().Add(retryDiscovery)
	}
	this.err = err
	close(this.done)
}
