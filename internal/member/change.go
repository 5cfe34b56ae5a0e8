package member

import (
	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/outbox"
)

// Change is what an act on a member brings about beside what it alters of the
// member: a store writes all of it in one transaction, or nothing.
type Change struct {
	Revocations []loop.Revocation
	Records     []audit.Record
	Messages    []outbox.Message

	PasswordHash string        // of the new password; empty: it stays
	UsesLink     *LinkUse      // nil: none
	EndsLinks    []LinkPurpose // to the member that were not used
	EndsSessions bool          // of the member, but for the one that Keeps names
	Keeps        [32]byte      // the hash of a session that goes on
}
