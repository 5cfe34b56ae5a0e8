package portal

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/registration/library"
)

// appSettings is how an app speaks with us, as far as its developer decides it: what
// is typed into the form's second half, as it was typed.
type appSettings struct {
	Algorithm     loop.Algorithm // of its ID tokens
	UserInfo      loop.Algorithm // of userinfo; empty: plain JSON
	Introspection loop.Algorithm
	Required      loop.Scopes
	TTL           string // of access tokens, in minutes
	Grace         string // of a refresh, in seconds
	AuthMethod    loop.AuthMethod
	KeySet        string
	KeySetURI     string
	Origins       string // one a line
	PostLogout    string // likewise
	Backchannel   string
	DPoP          bool
	State         bool
	Nonce         bool
	SignedRequest bool
}

func newAppSettings(c *loop.Client) *appSettings {
	p := &c.Protocol
	return &appSettings{
		Algorithm: p.IDTokenAlgorithm, UserInfo: p.UserInfoAlgorithm, Introspection: p.IntrospectionAlgorithm,
		Required: c.RequiredScopes, TTL: strconv.Itoa(int(c.AccessTokenTTL / time.Minute)), Grace: strconv.Itoa(int(c.RefreshGrace / time.Second)),
		AuthMethod: p.AuthMethod, KeySet: string(p.KeySet), KeySetURI: p.KeySetURI,
		Origins: lines(p.AllowedOrigins), PostLogout: lines(p.PostLogoutRedirectURIs), Backchannel: p.BackchannelLogoutURI,
		DPoP: p.DPoPBound, State: p.RequireState, Nonce: c.RequireNonce, SignedRequest: p.RequireSignedRequestObject,
	}
}

// readAppSettings reads the second half of the form; nil where the form had none.
func readAppSettings(posted url.Values) *appSettings {
	if !posted.Has("settings") {
		return nil
	}
	text := func(name string) string { return strings.TrimSpace(posted.Get(name)) }
	var required []loop.Scope
	for _, value := range posted["required_scope"] {
		required = append(required, loop.Scope(value))
	}
	return &appSettings{
		Algorithm: loop.Algorithm(text("id_token_alg")), UserInfo: loop.Algorithm(text("userinfo_alg")), Introspection: loop.Algorithm(text("introspection_alg")),
		Required: loop.NewScopes(required...), TTL: text("access_token_minutes"), Grace: text("refresh_grace"),
		AuthMethod: loop.AuthMethod(text("auth_method")), KeySet: text("jwks"), KeySetURI: text("jwks_uri"),
		Origins: text("allowed_origins"), PostLogout: text("post_logout_uris"), Backchannel: text("backchannel_logout_uri"),
		DPoP: posted.Has("dpop"), State: posted.Has("require_state"), Nonce: posted.Has("require_nonce"), SignedRequest: posted.Has("require_signed"),
	}
}

// apply puts the settings into a client. built is the library that was chosen, where
// it is another than before: it decides what the developer left as it was.
func (s *appSettings) apply(c *loop.Client, built *library.Library) {
	was := newAppSettings(c)
	if built != nil {
		built.Apply(c)
	}
	chosen := func(changed bool) bool { return built == nil || changed }
	if chosen(s.Algorithm != was.Algorithm) {
		c.Protocol.IDTokenAlgorithm = s.Algorithm
	}
	if chosen(s.Grace != was.Grace) {
		c.RefreshGrace = amount(s.Grace, time.Second)
	}
	if s.AuthMethod != "" && chosen(s.AuthMethod != was.AuthMethod) {
		c.Protocol.AuthMethod = s.AuthMethod
	}
	p := &c.Protocol
	c.AccessTokenTTL = amount(s.TTL, time.Minute)
	c.RequiredScopes = s.Required.And(c.AllowedScopes) // a scope that is no longer allowed is no longer required
	p.UserInfoAlgorithm, p.IntrospectionAlgorithm = s.UserInfo, s.Introspection
	p.KeySet, p.KeySetURI = json.RawMessage(s.KeySet), s.KeySetURI
	if s.KeySet == "" {
		p.KeySet = nil
	}
	p.AllowedOrigins, p.PostLogoutRedirectURIs, p.BackchannelLogoutURI = words[loop.Origin](s.Origins), words[loop.RedirectURI](s.PostLogout), s.Backchannel
	p.DPoPBound, p.RequireState, c.RequireNonce, p.RequireSignedRequestObject = s.DPoP, s.State, s.Nonce, s.SignedRequest
}

// amount reads a whole number of a unit; one that is none is refused by the rules of
// registration, as a negative one.
func amount(text string, unit time.Duration) time.Duration {
	number, err := strconv.Atoi(text)
	if err != nil || number > int(24*time.Hour/unit) {
		return -unit
	}
	return time.Duration(number) * unit
}

func lines[T ~string](values []T) string {
	texts := make([]string, len(values))
	for i, value := range values {
		texts[i] = string(value)
	}
	return strings.Join(texts, "\n")
}

func words[T ~string](text string) []T {
	var values []T
	for word := range strings.FieldsSeq(text) {
		values = append(values, T(word))
	}
	return values
}
