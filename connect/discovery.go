package connect

import (
	"context"
	"fmt"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// keepDiscovery is how long what Loop says of itself is believed without asking.
const keepDiscovery = time.Hour

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

// get gives the endpoints. While Loop can't be asked, those of before are good.
func (d *discovery) get(ctx context.Context) (*endpoints, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.found != nil && d.now().Before(d.until) {
		return d.found, nil
	}
	// The provider keeps its context to fetch keys by, later.
	provider, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), d.http), d.issuer)
	found := &endpoints{provider: provider}
	if err == nil {
		err = provider.Claims(found)
	}
	if err != nil {
		if d.found != nil {
			return d.found, nil
		}
		return nil, fmt.Errorf("discovering %s: %w", d.issuer, err)
	}
	d.found, d.until = found, d.now().Add(keepDiscovery)
	return found, nil
}
