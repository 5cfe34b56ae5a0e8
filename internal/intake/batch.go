package intake

import (
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
)

// MaxBatch is how many results a batch holds.
const MaxBatch = 500

// Batch is results on their way to a Keeper.
type Batch struct {
	Source string `json:"source"` // which laboratory or import, such as quest
	DryRun bool   `json:"dry_run,omitempty"`
	Items  []Item `json:"items"`
}

// Item is a result, and whose it is.
type Item struct {
	Member loop.MemberID      `json:"member"`
	Result biomarker.Reported `json:"result"`
}

// Outcome is what became of an item.
type Outcome struct {
	Kind   Kind   `json:"kind"`
	Reason string `json:"reason,omitempty"` // of a refusal; nothing of the result's content
	// Name is the code that is not known, of what was kept aside.
	Name biomarker.Name `json:"name,omitzero"`
}

// Kind is a kind of outcome.
type Kind string

// The kinds of an outcome.
const (
	Kept      Kind = "kept"
	Corrected Kind = "corrected" // kept in the place of the one before
	Deleted   Kind = "deleted"   // the one before was entered in error
	Duplicate Kind = "duplicate" // it was there
	Aside     Kind = "aside"     // nobody knows yet what its code means
	Refused   Kind = "refused"
)

// Kinds lists the kinds of outcomes.
func Kinds() []Kind { return []Kind{Kept, Corrected, Deleted, Duplicate, Aside, Refused} }

func refused(err error) Outcome {
	fault := loop.AsError(err)
	reason := fault.Description
	if fault.Field != "" {
		reason = fault.Field + ": " + reason
	}
	return Outcome{Kind: Refused, Reason: reason}
}
