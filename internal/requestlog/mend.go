package requestlog

import (
	"net/url"
	"slices"
	"strings"

	"github.com/loop-health/loop/internal/loop"
)

// mended is how a refused request of an app has to look, as a command line. What is
// secret, or differs each time, is a variable of the shell.
func mended(e Entry, client *loop.Client, at Addresses) string {
	method, path, _ := strings.Cut(e.Route, " ")
	host := at.Identity
	if e.Host == "clinical" {
		host = at.Clinical
	}
	switch {
	case path == "/v1/oauth/authorize":
		return curl{"-i --get", host + path, mendedAuthorization(e, client)}.String()
	case path == "/v1/oauth/token" || path == "/v1/oauth/par" || path == "/v1/oauth/introspect" || path == "/v1/oauth/revoke":
		fields := mendedForm(e, client, path)
		return curl{authentication(client, &fields), host + path, fields}.String()
	case strings.HasPrefix(path, "/v1/") && (method == "GET" || method == "DELETE"):
		flags := `-H "Authorization: Bearer $ACCESS_TOKEN"`
		if method != "GET" {
			flags = "-X " + method + " " + flags
		}
		return curl{flags, host + path, nil}.String()
	}
	return ""
}

// field is a parameter of the mended request: with a value, or the name of a variable.
type field struct{ name, value, variable string }

// mendedAuthorization is an authorization request that the app could send.
func mendedAuthorization(e Entry, client *loop.Client) []field {
	fields := []field{
		{"response_type", "code", ""},
		{"client_id", string(client.ID), ""},
		{"redirect_uri", mendedRedirectURI(e, client), ""},
		{"scope", mendedScope(e, client), ""},
		{"state", "", "STATE"},
		{"code_challenge", "", "CODE_CHALLENGE"},
		{"code_challenge_method", "S256", ""},
	}
	if client.RequireNonce {
		fields = append(fields, field{"nonce", "", "NONCE"})
	}
	for _, p := range e.Received {
		known := slices.ContainsFunc(fields, func(f field) bool { return f.name == p.Name })
		if p.Value != "" && p.Name != e.Field && p.Times == 0 && !known {
			fields = append(fields, field{p.Name, p.Value, ""})
		}
	}
	return fields
}

func mendedRedirectURI(e Entry, client *loop.Client) string {
	sent := e.Value("redirect_uri")
	if sent != "" && e.Field != "redirect_uri" {
		return sent
	}
	return nearest(sent, client.RedirectURIs)
}

// mendedScope is what was asked for, as far as it is registered.
func mendedScope(e Entry, client *loop.Client) string {
	if known := loop.NewScopes(e.scopes()...).And(client.AllowedScopes); len(known) > 0 {
		return known.String()
	}
	return client.AllowedScopes.String()
}

// mendedForm is what the app could post to an endpoint.
func mendedForm(e Entry, client *loop.Client, path string) []field {
	switch grant := e.Value("grant_type"); {
	case path == "/v1/oauth/par":
		return mendedAuthorization(e, client)
	case path != "/v1/oauth/token":
		return []field{{"token", "", "TOKEN"}}
	case grant == "refresh_token":
		return []field{{"grant_type", grant, ""}, {"refresh_token", "", "REFRESH_TOKEN"}}
	case grant == "client_credentials":
		return []field{{"grant_type", grant, ""}}
	}
	return []field{
		{"grant_type", "authorization_code", ""},
		{"code", "", "CODE"},
		{"redirect_uri", mendedRedirectURI(e, client), ""},
		{"code_verifier", "", "CODE_VERIFIER"},
	}
}

// authentication is how the app proves itself, as flags, and as further fields.
func authentication(client *loop.Client, fields *[]field) (flags string) {
	id := field{"client_id", string(client.ID), ""}
	*fields = slices.DeleteFunc(*fields, func(f field) bool { return f.name == id.name })
	switch client.Protocol.AuthMethod {
	case loop.AuthSecretBasic:
		return `-u "` + string(client.ID) + `:$CLIENT_SECRET"`
	case loop.AuthSecretPost:
		*fields = append(*fields, id, field{"client_secret", "", "CLIENT_SECRET"})
	case loop.AuthPrivateKeyJWT:
		*fields = append(*fields, id, field{"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", ""}, field{"client_assertion", "", "CLIENT_ASSERTION"})
	case loop.AuthTLS, loop.AuthSelfSignedTLS:
		*fields = append(*fields, id)
		return "--cert client.pem --key client.key"
	default:
		*fields = append(*fields, id)
	}
	return ""
}

// curl is a request as a command line.
type curl struct {
	flags, address string
	fields         []field
}

// String gives the command, a field a line.
func (c curl) String() string {
	var text strings.Builder
	text.WriteString("curl ")
	if c.flags != "" {
		text.WriteString(c.flags + " ")
	}
	text.WriteString(quote(c.address))
	for _, f := range c.fields {
		text.WriteString(" \\\n  --data-urlencode ")
		if f.variable != "" {
			text.WriteString(`"` + f.name + "=$" + f.variable + `"`)
		} else {
			text.WriteString(quote(f.name + "=" + f.value))
		}
	}
	return text.String()
}

// quote makes one word of a shell of a text.
func quote(text string) string {
	if u, err := url.Parse(text); err == nil && u.Scheme != "" && !strings.ContainsAny(text, " '\"$`\\&;|<>(){}*?[]#~=%!\n") {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
