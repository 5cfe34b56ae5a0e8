package audit

import "github.com/loop-health/loop/internal/loop"

// Refusal is a genuine credential or account that was turned away. Refusals are
// counted per subject, reason and hour and leave one record with the count, so
// that nobody can fill the record by failing.
type Refusal struct {
	Event   Event
	Subject string // the credential's chain, the client or the account; never the credential itself
	Reason  string // chosen by the code
	Member  loop.MemberID
	Client  loop.ClientID
	Grant   loop.GrantID
}
