package tables

import (
	"time"

	"github.com/loop-health/loop/internal/oauth"
)

// Apply writes what was decided on a state, but for what that revokes: how
// revocations get their numbers, each engine knows.
func Apply(tx Act, now time.Time, st oauth.State, change oauth.Change) error {
	if change.Client != nil {
		if err := putNewClient(tx, change.Client); err != nil {
			return err
		}
	}
	if change.Grant != nil {
		putGrant(tx, change.Grant)
		narrowChains(tx, st.Grant, change.Grant)
	}
	if change.Receipt != nil {
		if err := putReceipt(tx, change.Receipt); err != nil {
			return err
		}
	}
	switch {
	case change.Chain == nil:
	case st.Chain == nil:
		startChain(tx, now, change.Chain, change.Keep)
	default:
		rotateChain(tx, st.Chain, change.Chain)
	}
	AddMessages(tx, change.Messages)
	if change.Notice != "" {
		tx.Exec(updateNotice, change.Notice, st.Member.ID)
	}
	if change.Completes != nil {
		completePushedRequest(tx, change.Completes, now)
	}
	if change.Refused != nil {
		CountRefusal(tx, now, *change.Refused)
	}
	return RecordAll(tx, change.Records)
}
