package possession

import (
	"net/url"
	"strings"
)

// normalURL is the normal form in which URLs are compared (RFC 9449 §4.3), without
// query and fragment: case, percent-encoding and dot segments of RFC 3986 §6.2.2,
// default port and empty path of §6.2.3. It is empty for what is no http or https
// URL, or holds a user name.
func normalURL(text string) string {
	parsed, err := url.Parse(normalEscapes(text))
	if err != nil || parsed.User != nil {
		return ""
	}
	defaultPort := map[string]string{"https": ":443", "http": ":80"}[parsed.Scheme]
	host := strings.TrimSuffix(strings.ToLower(parsed.Host), ":")
	host = strings.TrimSuffix(host, defaultPort)
	if defaultPort == "" || host == "" {
		return ""
	}
	path := new(url.URL).ResolveReference(parsed).EscapedPath() // which takes dot segments out
	if path == "" {
		path = "/"
	}
	return parsed.Scheme + "://" + host + path
}

// normalEscapes decodes escaped characters that need no escape, and writes the
// others in capitals (RFC 3986 §6.2.2.1, §6.2.2.2).
func normalEscapes(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '%' || i+2 >= len(text) || !isHex(text[i+1]) || !isHex(text[i+2]) {
			b.WriteByte(text[i])
			continue
		}
		escaped := strings.ToUpper(text[i : i+3])
		if plain, err := url.PathUnescape(escaped); err == nil && isUnreserved(plain[0]) {
			escaped = plain
		}
		b.WriteString(escaped)
		i += 2
	}
	return b.String()
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// isUnreserved is of RFC 3986 §2.3.
func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}
