package admin

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/loop-health/loop/internal/loop"
)

// protocolFlags are how a client speaks with the authorization server. What is
// not given stays as it is; an empty text takes away what there was.
type protocolFlags struct {
	GrantType        []string       `toml:"grant_types" sep:"none" help:"authorization_code, refresh_token, client_credentials. Repeat it; together they replace all." placeholder:"TYPE"`
	AuthMethod       *string        `toml:"token_endpoint_auth_method" name:"token-endpoint-auth-method" help:"client_secret_basic, client_secret_post, private_key_jwt, tls_client_auth, self_signed_tls_client_auth or none." placeholder:"METHOD"`
	Profile          *string        `toml:"profile" help:"oauth, or fapi2: the FAPI 2.0 Security Profile." placeholder:"PROFILE"`
	ServiceScope     []string       `toml:"service_scopes" sep:"none" help:"What a service may ask for: of resources that the configuration names, or of the admin API (admin:users). Repeat it; together they replace all." placeholder:"SCOPE"`
	Resource         *string        `toml:"resource" help:"The resource server that this client is: it may ask about tokens for it." placeholder:"URI"`
	JWKSFile         *string        `toml:"-" name:"jwks-file" help:"A file with the client's public keys, as a JSON Web Key Set." placeholder:"FILE"`
	JWKSURI          *string        `toml:"jwks_uri" name:"jwks-uri" help:"Where the client publishes its keys (https)." placeholder:"URL"`
	IDTokenAlg       *string        `toml:"id_token_signed_response_alg" name:"id-token-alg" help:"ES256 (what to choose), EdDSA, PS256, or RS256, which older frameworks expect: Spring Security, .NET, many PHP libraries." placeholder:"ALG"`
	UserInfoAlg      *string        `toml:"userinfo_signed_response_alg" name:"userinfo-alg" help:"Sign answers of userinfo with it; \"\" for plain JSON." placeholder:"ALG"`
	IntrospectionAlg *string        `toml:"introspection_signed_response_alg" name:"introspection-alg" help:"Answer introspection with a JWT, signed with it; \"\" for plain JSON." placeholder:"ALG"`
	RequireState     *bool          `toml:"require_state" negatable:"" help:"Demand a state in every authorization request; without it the code challenge protects alone."`
	RequireSigned    *bool          `toml:"require_signed_request_object" name:"require-signed-request-object" negatable:"" help:"Take authorization requests only as signed request objects (RFC 9101)."`
	DPoPBound        *bool          `toml:"dpop_bound_access_tokens" name:"dpop-bound" negatable:"" help:"Bind every token to a DPoP key."`
	CertificateBound *bool          `toml:"tls_client_certificate_bound_access_tokens" name:"certificate-bound" negatable:"" help:"Bind every token to the client's certificate."`
	TLSSubjectDN     *string        `toml:"tls_client_auth_subject_dn" name:"tls-client-auth-subject-dn" help:"The subject in the client's certificate (tls_client_auth)." placeholder:"DN"`
	TLSSANDNS        *string        `toml:"tls_client_auth_san_dns" name:"tls-client-auth-san-dns" help:"Or the DNS name in it." placeholder:"NAME"`
	RateLimit        map[string]int `toml:"rate_limits" help:"The client's own limits, in requests a minute: token, introspect, revoke, read or write. Together they replace all." placeholder:"CLASS=N"`
	AllowedOrigin    []string       `toml:"allowed_origins" sep:"none" help:"An origin whose pages may read the app's answers, such as https://app.example.com. Repeat it; together they replace all." placeholder:"ORIGIN"`
	PostLogout       []string       `toml:"post_logout_redirect_uris" name:"post-logout-redirect-uri" sep:"none" help:"Where members return to after signing out. Repeat it; together they replace all." placeholder:"URI"`
	Backchannel      *string        `toml:"backchannel_logout_uri" name:"backchannel-logout-uri" help:"Where the app hears that a member's session has ended (https)." placeholder:"URL"`
}

// change reads the flags into a function that alters a client. The keys come by
// the input, since whoever carries the command out may not see the file.
func (f *protocolFlags) change(input io.Reader) (func(*loop.Client), error) {
	keys, err := f.keys(input)
	return func(c *loop.Client) {
		p := &c.Protocol
		if f.GrantType != nil {
			p.GrantTypes = list[loop.GrantType](f.GrantType)
		}
		if f.ServiceScope != nil {
			p.ServiceScopes = list[string](f.ServiceScope)
		}
		if f.RateLimit != nil {
			p.RateLimits = f.RateLimit
		}
		if f.AllowedOrigin != nil {
			p.AllowedOrigins = list[loop.Origin](f.AllowedOrigin)
		}
		if f.PostLogout != nil {
			p.PostLogoutRedirectURIs = list[loop.RedirectURI](f.PostLogout)
		}
		if f.JWKSFile != nil {
			p.KeySet = keys
		}
		set(&p.AuthMethod, (*loop.AuthMethod)(f.AuthMethod))
		set(&p.Profile, (*loop.Profile)(f.Profile))
		set(&p.Resource, f.Resource)
		set(&p.KeySetURI, f.JWKSURI)
		set(&p.IDTokenAlgorithm, (*loop.Algorithm)(f.IDTokenAlg))
		set(&p.UserInfoAlgorithm, (*loop.Algorithm)(f.UserInfoAlg))
		set(&p.IntrospectionAlgorithm, (*loop.Algorithm)(f.IntrospectionAlg))
		set(&p.RequireState, f.RequireState)
		set(&p.RequireSignedRequestObject, f.RequireSigned)
		set(&p.DPoPBound, f.DPoPBound)
		set(&p.CertificateBound, f.CertificateBound)
		set(&p.TLSSubjectDN, f.TLSSubjectDN)
		set(&p.TLSSANDNS, f.TLSSANDNS)
		set(&p.BackchannelLogoutURI, f.Backchannel)
	}, err
}

// list splits what was given one by one, or several at once with spaces.
func list[T ~string](given []string) []T {
	var all []T
	for _, text := range given {
		for word := range strings.FieldsSeq(text) {
			all = append(all, T(word))
		}
	}
	return all
}

// maxKeysInput is beyond any key set that would be taken.
const maxKeysInput = 64 << 10

// keys reads the client's key set; none where the flag takes it away.
func (f *protocolFlags) keys(input io.Reader) (json.RawMessage, error) {
	if f.JWKSFile == nil || *f.JWKSFile == "" {
		return nil, nil
	}
	text, err := io.ReadAll(io.LimitReader(input, maxKeysInput))
	if err != nil {
		return nil, fmt.Errorf("reading the keys: %w", err)
	}
	if !json.Valid(text) {
		return nil, loop.Errorf(loop.ValidationError, "The file of --jwks-file holds no JSON. It needs a key set: {\"keys\": [...]}.").About("jwks")
	}
	return text, nil
}
