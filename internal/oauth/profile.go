package oauth

import "github.com/loop-health/loop/internal/loop"

// profile is what a client's profile changes. Everything else is the same for
// all: PKCE, exact redirect URIs, iss in every answer, codes of 60 seconds.
type profile struct {
	// pushedOnly: authorization requests come through PAR alone (FAPI 2.0
	// Security Profile §5.3.2.2).
	pushedOnly bool
	// rotates: each refresh gives a new refresh token. Where tokens are bound to
	// the client's own key or certificate, a stolen one is of no use, and a
	// rotation only loses chains to crashes (FAPI 2.0 Security Profile §5.3.2.1).
	rotates bool
	// issuerOnly: the issuer is the one audience of an assertion and of a
	// request object (FAPI 2.0 Security Profile §5.3.2.1).
	issuerOnly bool
}

// profileOf is the one place that says what a profile changes.
func profileOf(client *loop.Client) profile {
	if client.Protocol.Profile == loop.ProfileFAPI2 {
		return profile{pushedOnly: true, rotates: false, issuerOnly: true}
	}
	return profile{rotates: true}
}

// assertionAudiences are the values that aud of a client assertion may have, as
// one string: an array, or another server's address, is how an assertion made
// for one server is used at another.
func (s *Server) assertionAudiences(client *loop.Client, path string) []string {
	if profileOf(client).issuerOnly {
		return []string{s.Issuer}
	}
	audiences := append([]string{s.Issuer}, s.addresses(TokenPath)...)
	if path != TokenPath {
		audiences = append(audiences, s.addresses(path)...)
	}
	return audiences
}
