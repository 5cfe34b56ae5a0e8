package oauth

import "github.com/loop-health/loop/internal/loop"

// The paths of the endpoints.
const (
	AuthorizePath     = "/v1/oauth/authorize"
	TokenPath         = "/v1/oauth/token" //nolint:gosec // G101: a path
	PushedPath        = "/v1/oauth/par"
	UserInfoPath      = "/v1/oauth/userinfo"
	IntrospectionPath = "/v1/oauth/introspect"
	RevocationPath    = "/v1/oauth/revoke"
	LogoutPath        = "/v1/oauth/logout"
	RegistrationPath  = "/v1/oauth/register"
	KeySetPath        = "/.well-known/jwks.json"
)

// Endpoints is where the server is reached.
type Endpoints struct {
	Issuer string // identity's public URL, byte for byte
	// CertificateURL is where clients with a certificate reach identity (RFC
	// 8705 §5); empty: nowhere.
	CertificateURL string
}

// Addresses are the URLs under which an endpoint of ours is reached: the public
// one, and the one for clients with certificates.
func (e Endpoints) Addresses(path string) []string {
	if e.CertificateURL == "" {
		return []string{e.Issuer + path}
	}
	return []string{e.Issuer + path, e.CertificateURL + path}
}

// authMethods: certificates work where there is a listener that asks for them,
// those of an authority where one is named.
func (e Endpoints) authMethods(authorities bool) []string {
	methods := []loop.AuthMethod{loop.AuthSecretBasic, loop.AuthSecretPost, loop.AuthPrivateKeyJWT}
	if e.CertificateURL != "" {
		methods = append(methods, loop.AuthSelfSignedTLS)
		if authorities {
			methods = append(methods, loop.AuthTLS)
		}
	}
	return names(append(methods, loop.AuthNone))
}

// Aliases are the endpoints as clients with a certificate reach them (RFC 8705
// §5).
type Aliases struct {
	TokenEndpoint         string `json:"token_endpoint"`
	UserInfoEndpoint      string `json:"userinfo_endpoint"`
	IntrospectionEndpoint string `json:"introspection_endpoint"`
	RevocationEndpoint    string `json:"revocation_endpoint"`
	PushedEndpoint        string `json:"pushed_authorization_request_endpoint"`
}

func (e Endpoints) aliases() *Aliases {
	if e.CertificateURL == "" {
		return nil
	}
	return &Aliases{
		TokenEndpoint:         e.CertificateURL + TokenPath,
		UserInfoEndpoint:      e.CertificateURL + UserInfoPath,
		IntrospectionEndpoint: e.CertificateURL + IntrospectionPath,
		RevocationEndpoint:    e.CertificateURL + RevocationPath,
		PushedEndpoint:        e.CertificateURL + PushedPath,
	}
}
