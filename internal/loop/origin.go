package loop

import (
	"net/url"
	"slices"
	"strings"
)

// Origin is where the pages of an app that runs in the browser come from: scheme,
// host and port as browsers send them (RFC 6454 §6.2), compared as a string.
type Origin string

// maxOrigins bounds how many origins a client registers.
const maxOrigins = 20

// Validate checks the rules of registration.
func (o Origin) Validate() error {
	refuse := func(rule string) error {
		return Errorf(ValidationError, "This origin is refused: %s", rule).About("allowed_origins")
	}
	text := string(o)
	parsed, err := url.Parse(text)
	switch {
	case err != nil || parsed.Host == "" || len(text) > maxRedirectURILength || strings.IndexFunc(text, func(r rune) bool { return r <= ' ' || r > '~' || r == '*' || r == ',' }) >= 0:
		return refuse("it is not a scheme and a host in ASCII, such as https://app.example.com. There are no wildcards.")
	case text != parsed.Scheme+"://"+parsed.Host || strings.ToLower(text) != text:
		return refuse("write scheme, host and port alone, in lower case: no path, query or slash at its end.")
	case parsed.Scheme != "https" && (parsed.Scheme != "http" || !loopbackHost(parsed.Hostname())):
		return refuse("use https, or http on localhost, 127.0.0.1 or [::1].")
	case hostFault(parsed.Hostname()) != "":
		return refuse(hostFault(parsed.Hostname()))
	case strings.HasSuffix(parsed.Host, ":") || !validPort(parsed.Port()) || parsed.Port() == map[string]string{"https": "443", "http": "80"}[parsed.Scheme]:
		return refuse("its port must be a number from 1 to 65535, and left out where it is the scheme's own: browsers do so too.")
	}
	return nil
}

// AllowsOrigin reports whether pages of the origin may read the client's answers.
func (c *Client) AllowsOrigin(origin string) bool {
	return slices.Contains(c.Protocol.AllowedOrigins, Origin(origin))
}

func validateOrigins(origins []Origin) (faults []error) {
	if len(origins) > maxOrigins {
		faults = append(faults, Errorf(ValidationError, "At most %d origins.", maxOrigins).About("allowed_origins"))
	}
	for _, origin := range origins {
		if err := origin.Validate(); err != nil {
			faults = append(faults, err)
		}
	}
	return faults
}
