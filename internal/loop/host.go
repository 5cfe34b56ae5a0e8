package loop

import (
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
)

// hostFault says what is wrong with the host of an address that somebody
// registers; empty: nothing is. It is a name of labels of letters, digits and
// hyphens (RFC 1123 §2.1; other scripts as xn--…, RFC 5890 §2.3.2.1), or an IP address in
// its one usual form. Anything else (a comma, a semicolon, a dollar sign) is a
// host to no resolver, and might be two to a browser, a proxy or a log.
func hostFault(host string) string {
	if strings.Contains(host, ":") {
		if address, err := netip.ParseAddr(host); err != nil || address.Zone() != "" || address.String() != host {
			return "its host is no IPv6 address in the usual form, such as [2001:db8::1]."
		}
		return ""
	}
	labels := strings.Split(host, ".")
	for _, label := range labels {
		if !isLDH(label) {
			return "its host may hold letters of ASCII, digits, hyphens within a label, and dots between labels alone. Write names in other scripts as xn--…"
		}
	}
	if len(host) > 253 {
		return "its host is longer than a name can be (253 characters)."
	}
	if _, err := idna.Registration.ToUnicode(host); err != nil {
		return "its host has a label that begins with xn-- and is no name of IDNA 2008."
	}
	if endsInNumber(labels[len(labels)-1]) {
		if address, err := netip.ParseAddr(host); err != nil || address.String() != host {
			return "its host ends in a number: browsers take that for an IPv4 address. Write four numbers with dots, or a name."
		}
	}
	return ""
}

// isLDH reports whether a label has 1 to 63 letters, digits and hyphens, with none
// at its ends.
func isLDH(label string) bool {
	foreign := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
	}
	return label != "" && len(label) <= 63 && label[0] != '-' && label[len(label)-1] != '-' && !strings.ContainsFunc(label, foreign)
}

// endsInNumber reports whether browsers take a name with this last label for an
// IPv4 address (WHATWG URL, "ends in a number").
func endsInNumber(last string) bool {
	digits, hex := strings.CutPrefix(strings.ToLower(last), "0x")
	isDigit := func(r rune) bool { return r >= '0' && r <= '9' || hex && r >= 'a' && r <= 'f' }
	return strings.TrimFunc(digits, isDigit) == ""
}
