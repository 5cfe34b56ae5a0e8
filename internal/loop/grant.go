package loop

import "time"

// Grant is the record of one member's consent to one app. There is one live
// grant per member and client; after a revocation a new consent is a new grant.
type Grant struct {
	ID       GrantID
	Member   MemberID
	Client   ClientID
	AppName  string // as the member was shown it; empty for a grant from before this was kept
	Scopes   Scopes // allowed by the member
	Declined Scopes // shown and left out; remembered, so that it is not asked again

	CreatedAt time.Time
	UpdatedAt time.Time // of the member's last answer: a consent covers the app as it was shown then
	EndsAt    time.Time // that the member chose; zero: none
	RevokedAt time.Time // zero: not revoked
	Reason    string    // of the revocation
}

// Live reports whether the grant gives anything now: it is not revoked, and its end
// has not come.
func (g *Grant) Live(now time.Time) bool { return g.RevokedAt.IsZero() && !g.Over(now) }

// Over reports whether the end that the member chose has come.
func (g *Grant) Over(now time.Time) bool { return !g.EndsAt.IsZero() && !now.Before(g.EndsAt) }

// Covers reports whether the member has already answered for every one of the
// scopes, so that they need not be asked again.
func (g *Grant) Covers(scopes Scopes) bool {
	return g.Scopes.Or(g.Declined).HasAll(scopes)
}

// Chain is the refresh tokens of one authorization: one row, however many
// tokens. Its id is the id of the code that started it.
type Chain struct {
	ID             ChainID
	Grant          GrantID
	Member         MemberID
	Client         ClientID
	Scopes         Scopes
	AskedFor       ScopeRequest // in the authorization; empty for a chain from before this was kept
	Session        SessionID
	Authentication Authentication // of the sign-in that it goes back to

	Generation int64     // of the one refresh token that is good
	KeyID      uint32    // of the key that sealed it
	Salt       [16]byte  // what a stolen key lacks
	RotatedAt  time.Time // when that token was issued
	RotatedRev uint64    // the revocation counter then, or one from before
	RotatedBy  RequestID // by which request
	RotatedFor Scopes    // what that request asked for
	RotatedKey string    // what it was bound to, as Key has it; empty: nothing

	Resources []string // that the authorization named (RFC 8707); none: the platform's own
	Key       string   // thumbprint of the DPoP key, or of the certificate, that its refresh tokens are bound to; empty: none

	CreatedAt     time.Time
	IdleExpiresAt time.Time
	EndedAt       time.Time // zero: live
	Ending        Ending
}

// Ending says why a chain ended, and so what a token of it is answered.
type Ending string

// The ways in which a chain ends before it expires.
const (
	EndingReplaced Ending = "replaced" // by a newer authorization: no theft
	EndingRevoked  Ending = "revoked"  // with its grant, or by its own code's re-use
)

// Live reports whether the chain's newest refresh token can still be used.
func (c *Chain) Live(now time.Time) bool {
	return c.EndedAt.IsZero() && now.Before(c.IdleExpiresAt)
}

// RefreshTokenIdle is how long a refresh token lives since its last use.
const RefreshTokenIdle = 90 * 24 * time.Hour

// Asked is every scope that a refresh may name without asking for something new.
// For a chain from before its request was kept, that is whatever the member has
// answered for.
func (c *Chain) Asked(grant *Grant) Scopes {
	if asked := c.AskedFor.Scopes(); len(asked) > 0 {
		return asked
	}
	return c.Scopes.Or(grant.Scopes).Or(grant.Declined)
}

// MaxPublicChains is how many chains a public client keeps per grant, one per
// device; a confidential client keeps one.
const MaxPublicChains = 10

// Revocation ends what was issued before it: every token that carries a lower
// number of the revocation counter and the same id.
type Revocation struct {
	Kind      RevocationKind
	ID        string
	ExpiresAt time.Time // nothing that it ends lives longer
}

// RevocationKind says what is revoked.
type RevocationKind string

// The things that can be revoked.
const (
	RevokeChain  RevocationKind = "chain"
	RevokeGrant  RevocationKind = "grant"
	RevokeMember RevocationKind = "member"
	RevokeClient RevocationKind = "client"
	RevokeToken  RevocationKind = "token" // one access token
)
