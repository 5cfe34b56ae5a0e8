package biomarker

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

// Inbox is what importing needs from the store.
type Inbox interface {
	// AddResults stores the member's new results and the audit record, all or
	// nothing, in one transaction. An id that is already there is an error.
	AddResults(ctx context.Context, member loop.MemberID, results []Result, rec audit.Record) error
}

// Importer takes in results.
type Importer struct {
	Catalogue *Catalogue
	Inbox     Inbox
	World     loop.World
}

// Import checks every result and stores them all, or none: the first that is
// not valid is a ValidationError that names its place and field.
func (i *Importer) Import(ctx context.Context, by audit.Actor, member loop.MemberID, results []Result) error {
	if !member.Valid() || len(results) == 0 {
		return loop.Errorf(loop.ValidationError, "Name a member and at least one result.")
	}
	results = slices.Clone(results)
	for n := range results {
		results[n].CollectedAt = results[n].CollectedAt.UTC().Truncate(time.Microsecond)
		results[n].ParsedAt = results[n].ParsedAt.UTC().Truncate(time.Microsecond)
		if err := i.Catalogue.Validate(&results[n]); err != nil {
			fault := loop.AsError(err)
			return fault.About(fmt.Sprintf("biomarkers[%d].%s", n, fault.Field))
		}
	}
	return i.Inbox.AddResults(ctx, member, results, audit.Record{
		At:     i.World.Now(),
		Event:  audit.BiomarkersImported,
		Actor:  by,
		Member: member,
		Detail: audit.Detail{"count": strconv.Itoa(len(results))},
		Origin: audit.OriginOf(ctx),
	})
}
