package biomarker

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strconv"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

// MaxBatch is how many results can be sent at once.
const MaxBatch = 500

// MaxResults is how many results a member's record holds, those that were retracted
// too.
const MaxResults = 200_000

// submissionLife is how long a batch that is sent again is recognised.
const submissionLife = 24 * time.Hour

// Submission marks a batch, so that sending it again stores nothing twice.
type Submission struct {
	Client  loop.ClientID
	Key     [sha256.Size]byte // of the sender's Idempotency-Key
	Content [sha256.Size]byte // of the body
	Until   time.Time         // when it is forgotten
}

// NewSubmission marks a batch of a client by the key that it chose and the body that
// it sent.
func NewSubmission(world loop.World, client loop.ClientID, key string, body []byte) *Submission {
	return &Submission{Client: client, Key: sha256.Sum256([]byte(key)), Content: sha256.Sum256(body), Until: world.Now().Add(submissionLife)}
}

// Submit takes in what an app sends about a member: all or nothing. The first result
// that is not valid is a ValidationError that names its place and field. A batch
// that was sent before gives the ids of then; with other content it is a Conflict.
// A nil submission is never recognised.
func (i *Importer) Submit(ctx context.Context, member loop.MemberID, by Sender, incoming []Incoming, once *Submission) ([]loop.ResultID, error) {
	if len(incoming) == 0 || len(incoming) > MaxBatch {
		return nil, refuse("biomarkers", "Send 1 to %d results at once. This batch has %d.", MaxBatch, len(incoming))
	}
	results := make([]Result, len(incoming))
	for n := range incoming {
		var err error
		if results[n], err = i.read(&incoming[n], by.Client); err != nil {
			fault := loop.AsError(err)
			return nil, fault.About(fmt.Sprintf("biomarkers[%d].%s", n, fault.Field))
		}
	}
	return i.Inbox.AddResults(ctx, member, results, once, i.Catalogue.News(i.Events, member, results), audit.Record{
		At:     i.World.Now(),
		Event:  audit.BiomarkersImported,
		Actor:  audit.Actor{Kind: audit.ByClient, ID: string(by.Client)},
		Member: member,
		Client: by.Client,
		Grant:  by.Grant,
		Detail: audit.Detail{"count": strconv.Itoa(len(results))},
		Origin: audit.OriginOf(ctx),
	})
}

// Sender is an app that acts for a member under a grant.
type Sender struct {
	Client loop.ClientID
	Grant  loop.GrantID
}

func (i *Importer) read(in *Incoming, sender loop.ClientID) (Result, error) {
	r, err := i.Catalogue.Read(in, i.World.Now())
	if err != nil {
		return Result{}, err
	}
	r.ID, r.SentBy = loop.NewResultID(i.World), sender
	return r, i.Catalogue.Validate(&r)
}

// Retract marks a result that the app sent as entered in error; it is listed no
// more. A result of another sender is Forbidden, one that the member doesn't have
// loop.ErrNotFound. Retracting twice changes nothing.
func (i *Importer) Retract(ctx context.Context, member loop.MemberID, by Sender, id loop.ResultID) error {
	return i.Inbox.RetractResult(ctx, member, by.Client, id, audit.Record{
		At:     i.World.Now(),
		Event:  audit.BiomarkerRetracted,
		Actor:  audit.Actor{Kind: audit.ByClient, ID: string(by.Client)},
		Member: member,
		Client: by.Client,
		Grant:  by.Grant,
		Detail: audit.Detail{"result": string(id)},
		Origin: audit.OriginOf(ctx),
	})
}
