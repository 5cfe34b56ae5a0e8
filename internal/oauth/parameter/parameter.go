// Package parameter reads the parameters of requests, as forms and addresses
// carry them (RFC 6749 §3.1, §3.2).
package parameter

import (
	"net/url"
	"slices"
	"strings"

	"github.com/loop-health/loop/internal/loop"
)

// WithoutEmpty takes out the parameters that came without a value, which MUST be
// treated as if they had not come (RFC 6749 §3.1, §3.2). One that came twice
// stays, so that it can be refused.
func WithoutEmpty(params url.Values) url.Values {
	for name, values := range params {
		if len(values) == 1 && values[0] == "" {
			delete(params, name)
		}
	}
	return params
}

// repeatable are the parameters that may be sent more than once (RFC 8707 §2).
var repeatable = []string{"resource"}

// NoDuplicates refuses parameters that were sent more than once, and names them:
// InvalidRequest (RFC 6749 §3.1, §3.2).
func NoDuplicates(params url.Values) error {
	found := false
	var named []string
	for name, values := range params {
		if len(values) < 2 || slices.Contains(repeatable, name) {
			continue
		}
		found = true
		if name = safeName(name); name != "" {
			named = append(named, name)
		}
	}
	switch {
	case !found:
		return nil
	case named == nil:
		return loop.Errorf(loop.InvalidRequest, "A parameter was sent more than once. Send each once.")
	}
	slices.Sort(named)
	return loop.Errorf(loop.InvalidRequest, "Sent more than once: %s. Send each parameter once.", strings.Join(named, ", ")).About(named[0])
}

// safeName lets a parameter's name into an answer only where it is a plain word.
func safeName(name string) string {
	if len(name) > 40 || strings.IndexFunc(name, func(r rune) bool { return (r < 'a' || r > 'z') && r != '_' }) >= 0 {
		return ""
	}
	return name
}

// Names lists every parameter that an endpoint of the authorization server reads.
func Names() []string { return slices.Clone(names) }

var names = []string{
	"acr_values", "aud", "claims", "client_assertion", "client_assertion_type", "client_id", "client_secret", "code", "code_challenge",
	"code_challenge_method", "code_verifier", "dpop_jkt", "grant_type", "id_token_hint", "login_hint", "max_age", "nonce",
	"post_logout_redirect_uri", "prompt", "redirect_uri", "refresh_token", "request", "request_uri", "resource",
	"response_mode", "response_type", "scope", "state", "token", "token_type_hint", "ui_locales",
}

// Single gives a parameter's one value; empty where it is absent, InvalidRequest
// where it is there twice.
func Single(params url.Values, name string) (string, error) {
	values := params[name]
	if len(values) > 1 {
		return "", loop.Errorf(loop.InvalidRequest, "The %s was sent more than once.", name).About(name)
	}
	if len(values) == 0 {
		return "", nil
	}
	return values[0], nil
}

// Required reads a parameter that must be there; InvalidRequest where it is not.
func Required(form url.Values, name string) (string, error) {
	value := form.Get(name)
	if strings.TrimSpace(value) == "" {
		return "", loop.Errorf(loop.InvalidRequest, "The %s is missing.", name).About(name)
	}
	return value, nil
}
