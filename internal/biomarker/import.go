package biomarker

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/webhook"
)

// Inbox is what importing needs from the store.
type Inbox interface {
	// AddResults stores the member's new results, their messages and the audit record, all or
	// nothing, in one transaction, and gives their ids. An id that is already there
	// is an error. Where the same submission was stored before, it stores nothing and
	// gives the ids of then; ErrOtherContent where its content was another. ErrFull
	// where the record would hold more than MaxResults.
	AddResults(ctx context.Context, member loop.MemberID, results []Result, once *Submission, news []outbox.Message, rec audit.Record) ([]loop.ResultID, error)
	// RetractResult marks a result that the client sent as entered in error, with the
	// record; neither where it is marked already. loop.ErrNotFound where the member
	// has no such result, ErrOtherSender where somebody else sent it.
	RetractResult(ctx context.Context, member loop.MemberID, by loop.ClientID, id loop.ResultID, rec audit.Record) error
}

// What a store refuses.
var (
	ErrOtherContent error = loop.Errorf(loop.Conflict, "Another batch was sent with this Idempotency-Key in the last day. Send a new key with new content.")
	ErrFull         error = loop.Errorf(loop.Conflict, "The member's record is full: it holds %d results.", MaxResults)
	ErrOtherSender  error = loop.Errorf(loop.Forbidden, "Another sender added this result. An app can retract what it sent itself.")
)

// Importer takes in results.
type Importer struct {
	Catalogue *Catalogue
	Inbox     Inbox
	World     loop.World
	Events    *webhook.Composer // says that there are new results; nil: nobody does
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
	_, err := i.Inbox.AddResults(ctx, member, results, nil, i.Catalogue.News(i.Events, member, results), audit.Record{
		At:     i.World.Now(),
		Event:  audit.BiomarkersImported,
		Actor:  by,
		Member: member,
		Detail: audit.Detail{"count": strconv.Itoa(len(results))},
		Origin: audit.OriginOf(ctx),
	})
	return err
}
