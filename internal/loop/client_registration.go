package loop

import "time"

// Registrar says how a client came to be known.
type Registrar string

// The ways in which a client comes to be known.
const (
	RegisteredByPeople   Registrar = ""         // a developer in the portal, or an operator
	RegisteredByDocument Registrar = "document" // its id is the address of its metadata document
	RegisteredByItself   Registrar = "itself"   // by dynamic client registration (RFC 7591)
)

// Registration is how a client came to be known, and what follows from it.
type Registration struct {
	By Registrar `json:"by,omitempty"`
	// FetchedAt is when the metadata document was last read as the client is now; it may
	// be RefetchNoted behind.
	FetchedAt time.Time `json:"fetched_at,omitzero"`
	// Token is the hash of the registration access token (RFC 7592 §3); nil: none.
	Token []byte `json:"token,omitempty"`
}

// How long metadata documents are used.
const (
	// DocumentKept is how long a document that was good is used where it can't be read
	// again.
	DocumentKept = 24 * time.Hour
	// RefetchNoted is after how long it is stored that a document was read again and is
	// as it was.
	RefetchNoted = time.Hour
	// UnusedRegistrationLife is how long a client that registered itself is kept without
	// any member's grant.
	UnusedRegistrationLife = 24 * time.Hour
	// AgentRefreshGrace is the refresh grace of clients that nobody registered: the
	// programs that they are refresh several times at once.
	AgentRefreshGrace = 10 * time.Second
)

// Unregistered reports whether no person registered the client: nobody answers for what
// it says of itself.
func (c *Client) Unregistered() bool { return c.Registration.By != RegisteredByPeople }

// Lapsed reports whether the client's metadata document could not be read for so long
// that nobody is to be asked for consent on its behalf.
func (c *Client) Lapsed(now time.Time) bool {
	return c.Registration.By == RegisteredByDocument && !now.Before(c.Registration.FetchedAt.Add(DocumentKept))
}
