package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/loop-health/loop/internal/audit"
)

// Store keeps messages. Who acts writes them; a Worker claims and settles them.
type Store interface {
	// ClaimDeliveries hands out messages that are due, the longest due first. None is
	// claimed by two before the first claim has ended, and none while an earlier one
	// with its order key is on its way.
	ClaimDeliveries(ctx context.Context, claim Claim) ([]Delivery, error)
	// SettleDelivery ends a claim: it writes all that an attempt changes of a delivery,
	// with the records, in one transaction. ErrClaimLost where the claim had ended and another
	// took the message over; then nothing is written.
	SettleDelivery(ctx context.Context, delivery Delivery, records []audit.Record) error
}

// Claim says what is claimed, and for how long.
type Claim struct {
	Kind           Kind
	Now, Until     time.Time
	AtMost         int // messages
	PerDestination int // that are claimed at a moment, those of other claims among them
}

// ErrClaimLost is returned where somebody else has claimed the message since.
var ErrClaimLost = errors.New("the claim of the delivery has ended, and another took it over")
