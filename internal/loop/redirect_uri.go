package loop

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// RedirectURI is where an authorization answer goes: an absolute URI that is
// compared as a string, never normalised (RFC 9700 §2.1).
type RedirectURI string

// maxRedirectURILength bounds what a client registers.
const maxRedirectURILength = 512

// responseParameters are the names that an authorization response adds; a
// registered query that holds one could be mistaken for an answer.
var responseParameters = []string{"code", "state", "iss", "error", "error_description", "error_uri", "response"}

// Validate checks the rules of registration. The error names every rule that is
// broken and how to mend it, so that nobody mends one and then meets the next.
func (u RedirectURI) Validate() error {
	text := string(u)
	faults := textFaults(text)
	parsed, err := url.Parse(text)
	switch {
	case err == nil && text != "":
		faults = slices.Concat(faults, schemeFaults(text, parsed), queryFaults(parsed))
	case err != nil && len(faults) == 0: // else what was found is why it can't be read
		faults = []string{"it is not a well-formed URI."}
	}
	if len(faults) == 0 {
		return nil
	}
	return Errorf(ValidationError, "This redirect URI is refused: %s", strings.Join(faults, " And ")).About("redirect_uris")
}

// uriRule is a rule of registration: whether it is broken, and what to say then.
type uriRule struct {
	broken bool
	says   string
}

// broken gives what the broken rules say.
func broken(rules ...uriRule) (faults []string) {
	for _, rule := range rules {
		if rule.broken {
			faults = append(faults, rule.says)
		}
	}
	return faults
}

func textFaults(text string) []string {
	return broken(
		uriRule{text == "", "it is empty. Give an absolute URI such as https://app.example.com/callback."},
		uriRule{len(text) > maxRedirectURILength, "it is longer than 512 characters."},
		uriRule{strings.ContainsFunc(text, foreignToURI), "it holds a space, a control character, a backslash, a quote or a letter outside ASCII. Write it as the app will send it, percent-encoded where needed."},
		uriRule{strings.Contains(text, "*"), "wildcards are not allowed. Register each URI in full."},
		uriRule{strings.Contains(text, "#"), "a fragment (#) is not allowed."},
	)
}

func foreignToURI(r rune) bool {
	return r <= ' ' || r > '~' || r == '\\' || r == '"' || r == '<' || r == '>'
}

// schemeFaults allows https, http on loopback, and private-use schemes with a
// dot (RFC 8252 §7.1); everything else, javascript and data among it, is out.
func schemeFaults(text string, parsed *url.URL) []string {
	faults := broken(uriRule{!strings.HasPrefix(text, parsed.Scheme+":") && parsed.Scheme != "", "write the scheme in lower case."})
	switch {
	case parsed.Scheme == "":
		return append(faults, "it needs a scheme: https, http on localhost, or an app's own such as com.example.app:/callback.")
	case parsed.Scheme == "https" || parsed.Scheme == "http":
		return append(faults, webFaults(parsed)...)
	case !strings.Contains(parsed.Scheme, "."):
		return append(faults, "this scheme is not allowed. Use https, http on localhost, or a private-use scheme with a dot such as com.example.app:/callback.")
	case parsed.Host != "" || parsed.Opaque != "" || !strings.HasPrefix(parsed.Path, "/"):
		return append(faults, "a private-use scheme is followed by one slash and a path: com.example.app:/callback.")
	}
	return faults
}

func webFaults(parsed *url.URL) []string {
	host := parsed.Hostname()
	if parsed.Opaque != "" || host == "" {
		return []string{"it has no host. Write it as https://host/path."}
	}
	return broken(
		uriRule{parsed.User != nil, "a user name or password in it is not allowed."},
		uriRule{host != strings.ToLower(host), "write the host in lower case."},
		uriRule{hostFault(host) != "", hostFault(host)},
		uriRule{strings.HasSuffix(parsed.Host, ":") || !validPort(parsed.Port()), "the port is not a number from 1 to 65535."},
		uriRule{parsed.Scheme == "http" && !loopbackHost(strings.ToLower(host)), "http is allowed on localhost, 127.0.0.1 and [::1] only. Use https."},
	)
}

func queryFaults(parsed *url.URL) []string {
	query, err := url.ParseQuery(parsed.RawQuery)
	if err != nil {
		return []string{"its query is not well formed."}
	}
	var reserved []string
	for name := range query {
		if readAsResponse(name) {
			reserved = append(reserved, name)
		}
	}
	slices.Sort(reserved)
	return broken(uriRule{reserved != nil, "its query holds what Loop's answer uses (" + strings.Join(reserved, ", ") + "). Choose other names."})
}

// readAsResponse reports whether some framework reads a query's parameter as one of
// our answer: in any case of letters, as a list or a map (code[], code[0], [code],
// code.x, code:list), with spaces around it, or cut off at a control character.
func readAsResponse(name string) bool {
	inWord := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '-' }
	name = strings.TrimLeftFunc(name, func(r rune) bool { return !inWord(r) })
	if end := strings.IndexFunc(name, func(r rune) bool { return !inWord(r) }); end >= 0 {
		name = name[:end]
	}
	return slices.ContainsFunc(responseParameters, func(own string) bool { return strings.EqualFold(own, name) })
}

// Matches reports whether a requested redirect URI is this registered one:
// equal as a string, or, for http on a literal loopback address, equal but for
// the port (RFC 8252 §7.3). localhost matches exactly.
func (u RedirectURI) Matches(requested RedirectURI) bool {
	if u == requested {
		return true
	}
	before, after, ok := splitLoopback(u, "http://127.0.0.1", "http://[::1]")
	return ok && differsInPort(requested, before, after)
}

// MatchesLocalhost reports whether a requested redirect URI is this one but for the
// port, where this one is http on localhost and has none.
func (u RedirectURI) MatchesLocalhost(requested RedirectURI) bool {
	before, after, ok := splitLoopback(u, "http://localhost")
	return ok && string(u) == before+after && differsInPort(requested, before, after)
}

// differsInPort reports whether a URI is what stands before and after a port, with any
// port or none between.
func differsInPort(u RedirectURI, before, after string) bool {
	rest, ok := strings.CutPrefix(string(u), before)
	if !ok {
		return false
	}
	port, ok := strings.CutSuffix(rest, after)
	return ok && (port == "" || port[0] == ':' && port != ":" && validPort(port[1:]))
}

// splitLoopback cuts a registered URI on one of the origins, without their ports, into
// what stands before and after its port.
func splitLoopback(u RedirectURI, origins ...string) (before, after string, ok bool) {
	for _, origin := range origins {
		rest, found := strings.CutPrefix(string(u), origin)
		if !found {
			continue
		}
		end := strings.IndexAny(rest, "/?")
		if end < 0 {
			end = len(rest)
		}
		return origin, rest[end:], end == 0 || rest[0] == ':'
	}
	return "", "", false
}

// With adds parameters to the query, which stays as it was registered (RFC 6749
// §3.1.2); a query that is there and empty gets no second question mark.
func (u RedirectURI) With(parameters url.Values) string {
	before, query, has := strings.Cut(string(u), "?")
	switch {
	case !has || query == "":
		return before + "?" + parameters.Encode()
	case strings.HasSuffix(query, "&"):
		return string(u) + parameters.Encode()
	}
	return string(u) + "&" + parameters.Encode()
}

// Loopback reports whether the answer stays on the member's own machine.
func (u RedirectURI) Loopback() bool {
	parsed, err := url.Parse(string(u))
	return err == nil && parsed.Scheme == "http" && loopbackHost(parsed.Hostname())
}

// PrivateUse reports whether the scheme is an app's own, which any other app on
// the device could claim too (RFC 8252 §8.6).
func (u RedirectURI) PrivateUse() bool {
	scheme, _, _ := strings.Cut(string(u), ":")
	return strings.Contains(scheme, ".")
}

// Host is the place that the answer goes to: the host, without port, or the scheme of
// a private-use URI. Members read ShownHost.
func (u RedirectURI) Host() string {
	parsed, err := url.Parse(string(u))
	if err != nil {
		return ""
	}
	if parsed.Host == "" {
		return parsed.Scheme
	}
	return parsed.Hostname()
}

// SwappedLoopback finds the registered URI that differs from the requested one
// only by localhost against a literal loopback address, the commonest slip on a
// laptop.
func SwappedLoopback(registered []RedirectURI, requested RedirectURI) (RedirectURI, bool) {
	asLocalhost := func(u RedirectURI) string {
		parsed, err := url.Parse(string(u))
		if err != nil || !u.Loopback() {
			return ""
		}
		if port := parsed.Port(); port != "" {
			parsed.Host = "localhost:" + port
		} else {
			parsed.Host = "localhost"
		}
		return parsed.String()
	}
	want := asLocalhost(requested)
	for _, u := range registered {
		if want != "" && u != requested && asLocalhost(u) == want {
			return u, true
		}
	}
	return "", false
}

func loopbackHost(host string) bool {
	return host == "localhost" || host == "127.0.0.1" || host == "::1"
}

// validPort accepts no port, or 1 to 65535 without a leading zero or sign.
func validPort(port string) bool {
	if port == "" {
		return true
	}
	if port[0] == '0' {
		return false
	}
	addr, err := netip.ParseAddrPort("127.0.0.1:" + port)
	return err == nil && addr.Port() > 0
}
