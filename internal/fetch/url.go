package fetch

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/loop-health/loop/internal/loop"
)

// maxURLLength bounds what is registered.
const maxURLLength = 512

// publicName is a host name that can be found in the public DNS (RFC 1123 §2.1):
// two labels or more, in lower case, the last of which begins with a letter.
// What some programs take for an IPv4 address (2130706433, 0x7f.1, 127.1) ends
// in a number (WHATWG URL, "ends in a number"), and so is none.
var publicName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$`)

// privateZones are the last labels that lead to the machine itself or its own
// network (RFC 6761, RFC 6762, RFC 8375, and .internal as ICANN set it apart).
var privateZones = []string{"localhost", "local", "internal", "arpa"}

// CheckURL says whether the client would ask for this URL: the check for the
// moment at which one is registered. It asks no DNS, since an answer of today
// proves nothing of tomorrow's; Get and Post do, each time. The error is a
// *loop.Error of code ValidationError that says what is wrong and what to do;
// the caller adds the field (About).
func (c *Client) CheckURL(text string) error {
	_, err := c.parse(text)
	return err
}

func (c *Client) parse(text string) (*url.URL, error) {
	refuse := func(rule string) (*url.URL, error) {
		return nil, loop.Errorf(loop.ValidationError, "This URL is refused: %s", rule)
	}
	switch {
	case text == "":
		return refuse("it is empty. Give one such as https://app.example.com/keys.json.")
	case len(text) > maxURLLength:
		return refuse("it is longer than 512 characters.")
	case strings.IndexFunc(text, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`\"<>`, r) }) >= 0:
		return refuse("it holds a space, a control character, a backslash, a quote or a letter outside ASCII. Percent-encode these, and write the host in its ASCII form.")
	case strings.Contains(text, "#"):
		return refuse("a fragment (#) is not allowed.")
	}
	parsed, err := url.Parse(text)
	if err != nil {
		return refuse("it is not a well-formed URL.")
	}
	if fault := c.fault(text, parsed); fault != "" {
		return refuse(fault)
	}
	return parsed, nil
}

// fault names the first rule that scheme, host or port break.
func (c *Client) fault(text string, u *url.URL) string {
	host, open := u.Hostname(), named(c.allowed, u)
	switch {
	case !strings.HasPrefix(text, "https://") && (!open || !strings.HasPrefix(text, "http://")):
		return "it must begin with https://."
	case u.User != nil:
		return "a user name or password in it is not allowed."
	case host != strings.ToLower(host):
		return "write the host in lower case."
	case named(c.own, u):
		return "its host is this platform's own. Give one of the app's."
	case strings.HasSuffix(u.Host, ":") || !validPort(u.Port(), open):
		return "its port is not allowed. Serve it on port 443 or 8443."
	case open:
		return ""
	case len(host) > 253 || !publicName.MatchString(host):
		return "its host must be a public name such as app.example.com: no IP address in any spelling, no single word, no dot at the end."
	case slices.Contains(privateZones, host[strings.LastIndex(host, ".")+1:]):
		return "its host is a name of a private network. Give one that everybody can resolve."
	}
	return ""
}

// named reports whether the URL's host is listed, with its port or without any.
func named(hosts []string, u *url.URL) bool {
	return slices.ContainsFunc(hosts, func(host string) bool {
		return strings.EqualFold(host, u.Host) || strings.EqualFold(host, u.Hostname())
	})
}

// validPort allows the two ports that are used for https. A list of those that
// are not (22, 25, 6379, …) would never be complete. On open hosts each goes.
func validPort(port string, open bool) bool {
	if open && port != "" {
		number, err := strconv.ParseUint(port, 10, 16)
		return err == nil && number > 0
	}
	return port == "" || port == "443" || port == "8443"
}
