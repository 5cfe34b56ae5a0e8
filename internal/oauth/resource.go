package oauth

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/parameter"
)

// maxResources bounds how many resources one request may name.
const maxResources = 10

// Resources are those that tokens can be made for.
type Resources struct {
	Own     []string        // this platform's own: identity's and clinical's public URLs
	Outside []loop.Resource // outside this platform, as the operator names them
	// Administration is identity itself, with what services may ask for there: the scopes
	// of the admin API. Without an identifier there is nothing.
	Administration loop.Resource
	// FHIR is the base address of FHIR, which is a part of Clinical, one of our own.
	FHIR, Clinical string
}

// target is which resources an access token is made for (RFC 8707).
type target struct {
	audience []string       // empty: this platform's own
	outside  *loop.Resource // a resource outside this platform; nil: none
}

// read reads the resource parameters of a request, under the names that are
// published; none is no error.
func (r Resources) read(params url.Values) ([]string, error) {
	var named []string
	for _, text := range params["resource"] {
		if !loop.ValidResource(text) {
			return nil, loop.Errorf(loop.InvalidTarget, "A resource must be an absolute URI without a fragment.").About("resource")
		}
		if name := r.published(text); !slices.Contains(named, name) {
			named = append(named, name)
		}
	}
	if len(named) > maxResources {
		return nil, loop.Errorf(loop.InvalidTarget, "There are more than %d resources. Name fewer.", maxResources).About("resource")
	}
	return named, nil
}

// readKnown reads the resource parameters of an authorization request and refuses
// those that nobody serves.
func (r Resources) readKnown(params url.Values) ([]string, error) {
	named, err := r.read(params)
	if err != nil {
		return nil, err
	}
	for _, name := range named {
		if !slices.Contains(r.Own, name) && r.outside(name) == nil {
			return nil, unknownTarget()
		}
	}
	return named, nil
}

// checkAudience holds aud, by which apps of SMART App Launch say where they will send
// their tokens, against our own addresses. An app that was led to a server that only
// poses as ours asks in that one's name, and MUST get no token that it would hand over
// (SMART App Launch 2.2 §2.0.9).
func (r Resources) checkAudience(params url.Values) error {
	audience, err := parameter.Single(params, "aud")
	if err != nil || audience == "" {
		return err
	}
	if !loop.ValidResource(audience) || !slices.Contains(r.Own, r.published(audience)) {
		return loop.Errorf(loop.InvalidTarget, "The aud is not an address of this platform. Send the FHIR base address that the app uses: %s.", r.FHIR).About("aud")
	}
	return nil
}

// published is the name under which a resource is known, however a client writes
// it: software that puts an address together adds the slash of an empty path, and
// may write scheme and host in capitals or the port that goes without saying (RFC
// 3986 §6.2.2.1, §6.2.3). None of ours differs from another by a slash at its end. A
// name that nobody publishes stays as it came.
func (r Resources) published(name string) string {
	plain := normalized(name)
	for _, own := range r.Own {
		if strings.TrimSuffix(normalized(own), "/") == strings.TrimSuffix(plain, "/") {
			return own
		}
	}
	for _, outside := range r.Outside {
		if normalized(outside.Identifier) == plain {
			return outside.Identifier
		}
	}
	if strings.TrimSuffix(plain, "/") == normalized(r.FHIR) {
		return r.Clinical
	}
	return name
}

// normalized is a valid resource's address in the form that all equal ones share.
func normalized(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return address
	}
	host := strings.ToLower(parsed.Host)
	if port, ok := map[string]string{"https": ":443", "http": ":80"}[parsed.Scheme]; ok {
		host = strings.TrimSuffix(host, port)
		if parsed.Path == "" {
			parsed.Path = "/"
		}
	}
	parsed.Host = host
	return parsed.String()
}

func unknownTarget() error {
	return loop.Errorf(loop.InvalidTarget, "This platform makes no tokens for the resource that was named. Leave resource out, or name one that it knows.").About("resource")
}

// outside finds a resource that the operator named.
func (r Resources) outside(name string) *loop.Resource {
	i := slices.IndexFunc(r.Outside, func(outside loop.Resource) bool { return outside.Identifier == name })
	if i < 0 {
		return nil
	}
	return &r.Outside[i]
}

// forServices are the resources that services get tokens for.
func (r Resources) forServices() []loop.Resource {
	if r.Administration.Identifier == "" {
		return r.Outside
	}
	return append([]loop.Resource{r.Administration}, r.Outside...)
}

// narrow finds the target of a token request: the resources that it names, which
// must be among those of the authorization, else all of those (RFC 8707 §2.2).
// An authorization that named none is for this platform's own.
func (r Resources) narrow(form url.Values, authorized []string) (target, error) {
	named, err := r.read(form)
	if err != nil {
		return target{}, err
	}
	within := authorized
	if len(within) == 0 {
		within = r.Own
	}
	for _, name := range named {
		if !slices.Contains(within, name) {
			return target{}, loop.Errorf(loop.InvalidTarget, "The authorization does not cover this resource. Name it in the authorization request too.").About("resource")
		}
	}
	if len(named) == 0 {
		named = authorized
	}
	return r.targetOf(named)
}

// targetOf decides what a token for these resources is. One for a resource
// outside is for that alone: what one resource server is given must not work at
// another (RFC 9068 §5).
func (r Resources) targetOf(named []string) (target, error) {
	for _, name := range named {
		outside := r.outside(name)
		if outside == nil {
			continue
		}
		if len(named) > 1 {
			return target{}, loop.Errorf(loop.InvalidTarget, "A token for a resource outside this platform is for that resource alone. Name one resource in each token request.").About("resource")
		}
		return target{audience: named, outside: outside}, nil
	}
	return target{audience: named}, nil
}

// opens is what of the scopes a token for the target may carry: health data
// stays within this platform.
func (t target) opens(scopes loop.Scopes) loop.Scopes {
	if t.outside == nil {
		return scopes
	}
	return scopes.Without(scopes.PHI())
}

// maxJWTLife bounds a JWT access token: nobody can revoke it.
const maxJWTLife = 5 * time.Minute

// isJWT reports whether the resource reads its tokens itself.
func (t target) isJWT() bool { return t.outside != nil && t.outside.Format == loop.FormatJWT }

// life is how long an access token for the target lives.
func (t target) life(client *loop.Client) time.Duration {
	if t.isJWT() {
		return min(client.AccessTokenTTL, maxJWTLife)
	}
	return client.AccessTokenTTL
}

// serves reports whether a client is the resource server that a token is meant for.
func (r Resources) serves(client *loop.Client, token AccessToken) bool {
	resource := client.Protocol.Resource
	return resource != "" && slices.Contains(r.audience(token), resource)
}

// audience is which resources a token is meant for.
func (r Resources) audience(token AccessToken) []string {
	if len(token.Audience) == 0 {
		return r.Own
	}
	return token.Audience
}
