package oauth

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

// Epochs keeps in which epoch the state is.
type Epochs interface {
	// Epoch reads where the state is.
	Epoch(ctx context.Context) (loop.Epoch, error)
	// BeginEpoch puts the state at next and ends, in the same transaction, what
	// may have ended in the time that was lost: sessions and pushed requests are
	// deleted, live chains and grants are revoked at the record's moment for this
	// reason. The record is completed with what that came to, and appended.
	BeginEpoch(ctx context.Context, next loop.Epoch, reason string, rec audit.Record) (Ended, error)
}

// Ended is what a new epoch ended.
type Ended struct {
	Grants   int64 `json:"grants"`
	Chains   int64 `json:"chains"`
	Sessions int64 `json:"sessions"`
}

// Detail is what the record of a new epoch says.
func (e Ended) Detail(epoch loop.Epoch) audit.Detail {
	return audit.Detail{
		"epoch": strconv.FormatUint(epoch.Number, 10), "counter": strconv.FormatUint(epoch.Counter, 10),
		"grants": strconv.FormatInt(e.Grants, 10), "chains": strconv.FormatInt(e.Chains, 10), "sessions": strconv.FormatInt(e.Sessions, 10),
	}
}

// restoredReason is why grants end with an epoch.
const restoredReason = "the platform was restored from a backup: connect the app again"

// BeginEpoch begins a new epoch, behind the state's own and behind the newest
// that anybody has seen. A state that was put back knows neither which tokens
// were revoked in the time that was lost, nor which consents were taken back. So
// nothing that was given goes on: each member confirms each app once more. The
// keys that made what has no row are the caller's to revoke.
func BeginEpoch(ctx context.Context, epochs Epochs, now time.Time, seen loop.Epoch, by audit.Actor) (loop.Epoch, Ended, error) {
	at, err := epochs.Epoch(ctx)
	if err != nil {
		return loop.Epoch{}, Ended{}, err
	}
	next := at.Next(seen)
	rec := audit.NewRecord(ctx, now, audit.EpochBegun, by)
	ended, err := epochs.BeginEpoch(ctx, next, restoredReason, rec)
	if err != nil {
		return loop.Epoch{}, Ended{}, fmt.Errorf("beginning a new epoch: %w", err)
	}
	return next, ended, nil
}
