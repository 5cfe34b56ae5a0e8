package loop

import "time"

// How long what the platform hands out can be used. The keys that made it are kept
// for as long, and so is the word that it was revoked.
const (
	MinAccessTokenTTL     = 5 * time.Minute
	MaxAccessTokenTTL     = time.Hour // of any client
	DefaultAccessTokenTTL = MaxAccessTokenTTL

	// CodeLife is how long an authorization code works (RFC 6749 §4.1.2 allows ten
	// minutes; a browser's redirect needs seconds).
	CodeLife = 60 * time.Second
	// CodeRemembered is how long after that a second use of a code ends what the first
	// one gave (RFC 6749 §4.1.2).
	CodeRemembered = 24 * time.Hour

	// ContinuationLife is how long a member may take between an app's request and the
	// end of signing in and consenting.
	ContinuationLife = 30 * time.Minute
	// TicketLife is how long a consent page may lie open.
	TicketLife = 10 * time.Minute

	// SessionAtMost is how long a member stays signed in at the most.
	SessionAtMost = 30 * 24 * time.Hour
	// SignInStepLife is how long a member may take from one step of a sign-in to the
	// next: to unlock a passkey, or to read a code from their app.
	SignInStepLife = 10 * time.Minute
	// RecentSignIn is how old a member's sign-in may be for what a session that was
	// left open must not be enough for (ASVS 7.5.1).
	RecentSignIn = 5 * time.Minute
	// DeveloperSessionLife is how long a developer stays signed in to the portal.
	DeveloperSessionLife = 12 * time.Hour

	// ResetLinkLife is how long a link that sets a new password works.
	ResetLinkLife = 30 * time.Minute
	// AddressLinkLife is how long a link works that shows that an address is
	// somebody's own, at sign-up and when it changes.
	AddressLinkLife = 24 * time.Hour
	// EventsKept is how long an event can be sent again: three days of attempts, and then
	// for as long as settled deliveries are kept.
	EventsKept = SessionAtMost + 4*24*time.Hour

	// MailLife is how long a letter may be on its way, and a link in it work.
	MailLife = 2 * AddressLinkLife
)
