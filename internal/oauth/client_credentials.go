package oauth

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/clientauth"
)

// issueToService gives a service a token for itself (RFC 6749 §4.4): no member, no
// refresh token, and nothing that members consent to. It opens what a named resource
// declares, as far as the client is registered for it.
func (s *Server) issueToService(ctx context.Context, req TokenRequest) (*TokenResponse, error) {
	resource, scopes, err := s.serviceScopes(req)
	if err != nil {
		return nil, err
	}
	to := target{audience: []string{resource.Identifier}, outside: s.Resources.outside(resource.Identifier)}
	now := s.World.Now()
	token := AccessToken{
		ID: loop.NewTokenID(s.World), Client: req.Client.ID, ServiceScopes: scopes, Audience: to.audience,
		Binding: req.Binding, IssuedAt: now, ExpiresAt: now.Add(to.life(req.Client)),
	}
	err = s.decide(ctx, Subject{Client: req.Client.ID}, func(st State) (Change, error) {
		if st.Client == nil || st.Client.Standing() != loop.Works {
			return Change{}, clientauth.ErrInvalid
		}
		token.Counter = st.Counter
		rec := st.record(ctx, s.World.Now(), audit.ServiceTokenIssued, byClient(st.Client))
		rec.Detail = audit.Detail{"token": string(token.ID), "scopes": strings.Join(scopes, " "), "resource": resource.Identifier}
		return Change{Records: []audit.Record{rec}}, nil
	})
	if err != nil {
		return nil, err
	}
	text, err := s.Minter.accessToken(token, to)
	if err != nil {
		return nil, err
	}
	return &TokenResponse{
		AccessToken: text, TokenType: req.Binding.TokenType(),
		ExpiresIn: int64(to.life(req.Client) / time.Second), Scope: strings.Join(scopes, " "),
	}, nil
}

// serviceScopes finds the resource and the scopes of a service's request. Where
// no resource is named, it is the one that declares all that is asked for.
func (s *Server) serviceScopes(req TokenRequest) (*loop.Resource, []string, error) {
	asked := strings.Fields(req.Form.Get("scope"))
	slices.Sort(asked)
	asked = slices.Compact(asked)
	if beyond := without(asked, req.Client.Protocol.ServiceScopes); len(beyond) > 0 {
		return nil, nil, loop.Errorf(loop.InvalidScope, "This client is not registered for a scope that it asks for. Leave it out, or have it registered.").About("scope")
	}
	resource, err := s.Resources.ofService(req, asked)
	if err != nil {
		return nil, nil, err
	}
	if len(asked) == 0 {
		asked = within(req.Client.Protocol.ServiceScopes, resource.Scopes)
	}
	if len(asked) == 0 || len(without(asked, resource.Scopes)) > 0 {
		return nil, nil, loop.Errorf(loop.InvalidScope, "The resource does not have a scope that was asked for, or the client is registered for none of it. Ask for scopes of this resource that the client has.").About("scope")
	}
	return resource, asked, nil
}

// ofService finds the resource of a service's request: the one that it names, else
// the one that declares all that is asked for.
func (r Resources) ofService(req TokenRequest, asked []string) (*loop.Resource, error) {
	named, err := r.read(req.Form)
	if err != nil {
		return nil, err
	}
	if len(named) > 1 {
		return nil, loop.Errorf(loop.InvalidTarget, "Name one resource in each token request.").About("resource")
	}
	known := r.forServices()
	if len(named) == 1 {
		i := slices.IndexFunc(known, func(resource loop.Resource) bool { return resource.Identifier == named[0] })
		if i < 0 {
			return nil, unknownTarget()
		}
		return &known[i], nil
	}
	var found *loop.Resource
	for i := range known {
		declares := len(without(asked, known[i].Scopes)) == 0 && len(within(req.Client.Protocol.ServiceScopes, known[i].Scopes)) > 0
		if declares && found != nil {
			return nil, loop.Errorf(loop.InvalidTarget, "More than one resource could be meant. Name it with the resource parameter.").About("resource")
		}
		if declares {
			found = &known[i]
		}
	}
	if found == nil {
		return nil, loop.Errorf(loop.InvalidTarget, "No resource that this platform knows has these scopes. Name the resource, and scopes that it has.").About("resource")
	}
	return found, nil
}

// without is what of the names the others don't hold.
func without(names, others []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(others, name) })
}

// within is what of the names the others hold too.
func within(names, others []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !slices.Contains(others, name) })
}
