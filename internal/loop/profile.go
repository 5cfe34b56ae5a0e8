package loop

// ProfileRules is what a client's profile changes. Everything else is the same
// for all: PKCE, exact redirect URIs, iss in every answer, codes of 60 seconds.
type ProfileRules struct {
	// PushedOnly: authorization requests come through PAR alone (FAPI 2.0
	// Security Profile §5.3.2.2).
	PushedOnly bool
	// Rotates: each refresh gives a new refresh token. Where tokens are bound to
	// the client's own key or certificate, a stolen one is of no use, and a
	// rotation only loses chains to crashes (FAPI 2.0 Security Profile §5.3.2.1).
	Rotates bool
	// IssuerOnly: the issuer is the one audience of an assertion and of a
	// request object (FAPI 2.0 Security Profile §5.3.2.1).
	IssuerOnly bool
	// MissingVerifier is how a token request without code_verifier is refused: RFC
	// 6749 §5.2 calls it a missing parameter, and FAPI 2.0's conformance suite
	// demands that the grant is called unproven.
	MissingVerifier Code
}

// Rules is the one place that says what a profile changes.
func (p Profile) Rules() ProfileRules {
	if p == ProfileFAPI2 {
		return ProfileRules{PushedOnly: true, Rotates: false, IssuerOnly: true, MissingVerifier: InvalidGrant}
	}
	return ProfileRules{Rotates: true, MissingVerifier: InvalidRequest}
}
