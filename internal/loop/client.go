package loop

import (
	"crypto/subtle"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// ClientType says whether an app can keep a secret (RFC 6749 §2.1). It is fixed
// at registration.
type ClientType string

// The two types of client.
const (
	Confidential ClientType = "confidential"
	Public       ClientType = "public"
)

// Mode is how far an app may go: in development, scopes that open health data
// work for test members alone.
type Mode string

// The two modes of a client.
const (
	Development Mode = "development"
	Production  Mode = "production"
)

// BAA records the signed agreement that lets an app see health data.
type BAA struct {
	SignedOn time.Time
	By       string
}

// Client is an app as it is registered.
type Client struct {
	ID             ClientID
	Name           string
	Type           ClientType
	RedirectURIs   []RedirectURI
	AllowedScopes  Scopes
	RequiredScopes Scopes // the member cannot leave these out

	HomePage   string // https, shown on the consent page
	PolicyPage string
	TermsPage  string
	Logo       Logo

	AccessTokenTTL time.Duration // 5 minutes to 1 hour
	RefreshGrace   time.Duration // 0 to 30 seconds
	RequireNonce   bool

	Protocol Protocol

	Mode       Mode
	BAA        *BAA
	FirstParty bool // Loop's own
	Verified   bool // Loop has checked who is behind it
	Enabled    bool
	Owner      MemberID // the developer; empty for an operator's
	// OwnerSuspended: the developer's account is suspended. It follows the member, and
	// no change of the client alters it.
	OwnerSuspended bool

	Appearance   Appearance
	Registration Registration

	Webhooks []Webhook

	Secrets   []ClientSecret
	CreatedAt time.Time
	UpdatedAt time.Time
}

// ClientSecret is what is kept of a client's secret: its hash, and until when it
// works. At most two are live, so that a rotation can overlap.
type ClientSecret struct {
	Hash      [32]byte // SHA-256; the secret has 256 random bits of its own
	CreatedAt time.Time
	ExpiresAt time.Time // zero: until it is rotated
}

// Clone gives a copy that shares nothing with the client.
func (c *Client) Clone() *Client {
	copied := *c
	copied.RedirectURIs = slices.Clone(c.RedirectURIs)
	copied.AllowedScopes = slices.Clone(c.AllowedScopes)
	copied.RequiredScopes = slices.Clone(c.RequiredScopes)
	copied.Secrets = slices.Clone(c.Secrets)
	copied.Protocol = c.Protocol.clone()
	copied.Appearance = c.Appearance.clone()
	copied.Registration.Token = slices.Clone(c.Registration.Token)
	copied.Webhooks = cloneWebhooks(c.Webhooks)
	if c.BAA != nil {
		baa := *c.BAA
		copied.BAA = &baa
	}
	return &copied
}

// HoldsSecret reports whether the hash is that of a secret which works now. Every
// secret is compared, each in constant time.
func (c *Client) HoldsSecret(hash [32]byte, now time.Time) bool {
	held := 0
	for _, kept := range c.Secrets {
		same := subtle.ConstantTimeCompare(kept.Hash[:], hash[:])
		if kept.ExpiresAt.IsZero() || now.Before(kept.ExpiresAt) {
			held |= same
		}
	}
	return held == 1
}

// Bounds of a client's fields.
const (
	MaxRefreshGrace = 30 * time.Second
	SecretOverlap   = 24 * time.Hour

	maxNameLength   = 60
	maxRedirectURIs = 20
)

// Validate checks every rule of registration and returns all faults, each a
// *Error of code ValidationError that names its field.
func (c *Client) Validate() []error {
	var faults []error
	refuse := func(field, format string, args ...any) {
		faults = append(faults, Errorf(ValidationError, format, args...).About(field))
	}
	if err := validateName(c.Name, c.FirstParty); err != "" {
		refuse("client_name", "%s", err)
	}
	if c.Type != Confidential && c.Type != Public {
		refuse("client_type", "The client type is confidential or public.")
	}
	faults = append(faults, c.validateRedirectURIs()...)
	if len(c.AllowedScopes) == 0 && c.MayUse(GrantAuthorizationCode) {
		refuse("allowed_scopes", "Choose at least one scope.")
	}
	if !c.AllowedScopes.HasAll(c.RequiredScopes) {
		refuse("required_scopes", "A required scope must be among the allowed ones: %s.", c.RequiredScopes.Without(c.AllowedScopes))
	}
	for field, page := range map[string]string{"client_uri": c.HomePage, "policy_uri": c.PolicyPage, "tos_uri": c.TermsPage} {
		if page != "" && !validPage(page) {
			refuse(field, "The %s must be an absolute https URL without user info.", field)
		}
	}
	if c.AccessTokenTTL < MinAccessTokenTTL || c.AccessTokenTTL > MaxAccessTokenTTL {
		refuse("access_token_ttl", "An access token lives from 5 minutes to 1 hour.")
	}
	if c.RefreshGrace < 0 || c.RefreshGrace > MaxRefreshGrace {
		refuse("refresh_grace", "The grace period of a refresh is 0 to 30 seconds.")
	}
	if c.Mode != Development && c.Mode != Production {
		refuse("mode", "The mode is development or production.")
	}
	return slices.Concat(faults, c.validateWebhooks(), c.validateProtocol())
}

// validateRedirectURIs: a client that sends members to us says where they come
// back to; one that doesn't has no use for a redirect URI.
func (c *Client) validateRedirectURIs() []error {
	sends := c.MayUse(GrantAuthorizationCode)
	switch {
	case sends && len(c.RedirectURIs) == 0:
		return []error{Errorf(ValidationError, "Register at least one redirect URI.").About("redirect_uris")}
	case !sends && len(c.RedirectURIs) > 0:
		return []error{Errorf(ValidationError, "A client without the grant type authorization_code has no redirect URI.").About("redirect_uris")}
	}
	return validateURIs("redirect_uris", c.RedirectURIs)
}

// validateURIs checks a list of addresses that browsers are sent to.
func validateURIs(field string, uris []RedirectURI) []error {
	var faults []error
	if len(uris) > maxRedirectURIs {
		faults = append(faults, Errorf(ValidationError, "At most %d addresses.", maxRedirectURIs).About(field))
	}
	for i, uri := range uris {
		if err := uri.Validate(); err != nil {
			faults = append(faults, AsError(err).About(field))
		} else if slices.Contains(uris[:i], uri) {
			faults = append(faults, Errorf(ValidationError, "The address %s is there twice.", uri).About(field))
		}
	}
	return faults
}

// validateName keeps out what could pass an app off as something else on the
// consent page: control, invisible and direction-changing characters, mixed
// scripts, Loop's own name in any spelling, and words that claim a check.
func validateName(name string, firstParty bool) (fault string) {
	if strings.TrimSpace(name) == "" {
		return "Give the app a name: members see it when they are asked to allow it."
	}
	if !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxNameLength || strings.TrimSpace(name) != name {
		return "The name has at most 60 characters, in UTF-8, and no space at its ends."
	}
	if hidesSomething(name) {
		return "The name holds a character that shows nothing, such as a zero-width space or a change of direction. Take it out."
	}
	if misplacedMark(name) || strings.ContainsFunc(name, func(r rune) bool { return unicode.Is(unicode.So, r) }) {
		return "The name holds a symbol, or an accent that stands by itself. Use letters, digits and plain punctuation."
	}
	latin, other := false, false
	for _, r := range name {
		if unicode.IsLetter(r) {
			latin = latin || unicode.Is(unicode.Latin, r)
			other = other || !unicode.Is(unicode.Latin, r)
		}
	}
	if latin && other {
		return "The name mixes letters of different scripts. Use one."
	}
	switch {
	case specialForm(name):
		return "The name holds letters or digits in a special form, such as full-width or mathematical ones or a Roman numeral. Write it in plain letters."
	case !firstParty && holdsWord(name, ownWords):
		return "The word Loop, in any spelling, is reserved for Loop's own apps. Leave it out."
	case !firstParty && holdsWord(name, badgeWords):
		return "The name holds a word such as verified or official, which claims a check. Members see from a badge which apps Loop has verified. Leave it out."
	}
	return ""
}

func validPage(page string) bool {
	parsed, err := url.Parse(page)
	return err == nil && parsed.Scheme == "https" && parsed.Host != "" && parsed.User == nil && hostFault(parsed.Hostname()) == "" && len(page) <= maxRedirectURILength &&
		strings.IndexFunc(page, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// Registered reports whether the client registered the redirect URI. Where no person
// registered the client, localhost without a port stands for every port too, as an
// address of the loopback interface does: the programs that describe themselves listen
// at the port that is free.
func (c *Client) Registered(requested RedirectURI) bool {
	return slices.ContainsFunc(c.RedirectURIs, func(u RedirectURI) bool {
		return u.Matches(requested) || c.Unregistered() && u.MatchesLocalhost(requested)
	})
}

// MaySee reports whether the app may see the health data of a member: with a
// signed agreement in production everybody's who consents, else test members'.
func (c *Client) MaySee(m *Member) bool {
	return m.Test || c.Mode == Production && c.BAA != nil
}

// CouldBeAnybody reports whether the app at this redirect URI cannot be distinguished
// from another that uses the same client id: a public client on a loopback or
// private-use redirect URI (RFC 8252 §8.6).
func (c *Client) CouldBeAnybody(u RedirectURI) bool {
	return c.Type == Public && (u.Loopback() || u.PrivateUse())
}

// Trusted reports whether an error may be sent to the redirect URI before the
// member has acted, without first showing where it leads (RFC 9700 §4.11.2).
func (c *Client) Trusted(u RedirectURI) bool {
	return u.Loopback() || c.Verified && c.Mode == Production
}
