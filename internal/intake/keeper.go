package intake

import (
	"context"
	"errors"
	"strconv"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/webhook"
)

// Archive is what importing needs from the store.
type Archive interface {
	// Import has decide look at what is there of a member's and carries out what it
	// decides, with its audit record, in one transaction. An error of decide undoes it
	// and is returned as it is. loop.ErrNotFound where the member was erased. biomarker.ErrFull where the member's record would hold
	// more than biomarker.MaxResults.
	Import(ctx context.Context, member loop.MemberID, decide func(Existing) (Change, error)) error
	// CodeNames gives what senders' codes were mapped to.
	CodeNames(ctx context.Context) (map[biomarker.Name]biomarker.Code, error)
}

// Existing is what the store has of a member's, in the transaction.
type Existing interface {
	// Hash hashes data, under the member's key where there is one.
	Hash(data []byte) Hash
	// Versions gives the versions that were imported under the identities, those of
	// each in their order.
	Versions(identities []Hash) (map[Hash][]Version, error)
	// Asides gives which of the identities are aside.
	Asides(identities []Hash) (map[Hash]bool, error)
}

// Change is what an import does to a member's record.
type Change struct {
	Add      []biomarker.Result
	Versions []Version // of what is added, in the same order
	Retract  []Version // superseded, or entered in error
	Aside    []AsideResult
	Settled  []Hash // aside no more
	Messages []outbox.Message
	Record   audit.Record
}

// Empty reports whether there is nothing to do.
func (c *Change) Empty() bool {
	return len(c.Add)+len(c.Retract)+len(c.Aside)+len(c.Settled) == 0
}

// AsideResult waits until somebody says what its code means.
type AsideResult struct {
	Identity Hash               `json:"-"`
	Source   string             `json:"source"`
	Client   loop.ClientID      `json:"client,omitempty"`
	Result   biomarker.Reported `json:"result"`
}

// Members knows who is a member.
type Members interface {
	// Exists reports whether there is a member of this id.
	Exists(ctx context.Context, id loop.MemberID) (bool, error)
}

// Keeper keeps what was read from files.
type Keeper struct {
	Catalogue *biomarker.Catalogue
	Archive   Archive
	Asides    Asides
	Members   Members
	World     loop.World
	Events    *webhook.Composer // says that there are new results; nil: nobody does
}

// Sender is who imports: an operator, an app or the member.
type Sender struct {
	Actor  audit.Actor
	Client loop.ClientID // an app; empty: nobody that could retract it by itself
	Grant  loop.GrantID
}

// errDryRun undoes what was decided.
var errDryRun = errors.New("this was a dry run")

// Keep takes in a batch: the results of each member all or nothing, member by member.
// The outcomes are in the order of the items. An error means that results of some
// members may be kept and others not; sending the batch again is safe.
func (k *Keeper) Keep(ctx context.Context, by Sender, batch Batch) ([]Outcome, error) {
	return k.keep(ctx, by, batch, false)
}

// keep keeps a batch; settling says that it was aside and is to be no more.
func (k *Keeper) keep(ctx context.Context, by Sender, batch Batch, settling bool) ([]Outcome, error) {
	if err := batch.check(); err != nil {
		return nil, err
	}
	names, err := k.Archive.CodeNames(ctx)
	if err != nil {
		return nil, err
	}
	outcomes := make([]Outcome, len(batch.Items))
	for member, places := range batch.byMember() {
		one := &decision{keeper: k, ctx: ctx, by: by, batch: &batch, member: member, names: names, outcomes: outcomes, places: places, settling: settling}
		if err := one.carryOut(); err != nil {
			return nil, err
		}
	}
	return outcomes, nil
}

func (b *Batch) check() error {
	if len(b.Items) == 0 || len(b.Items) > MaxBatch {
		return loop.Errorf(loop.ValidationError, "A batch has 1 to %d results.", MaxBatch)
	}
	return biomarker.CheckSource(b.Source)
}

// byMember lists the places of each member's items, in the order of their first.
func (b *Batch) byMember() func(yield func(loop.MemberID, []int) bool) {
	var order []loop.MemberID
	places := make(map[loop.MemberID][]int)
	for i := range b.Items {
		member := b.Items[i].Member
		if places[member] == nil {
			order = append(order, member)
		}
		places[member] = append(places[member], i)
	}
	return func(yield func(loop.MemberID, []int) bool) {
		for _, member := range order {
			if !yield(member, places[member]) {
				return
			}
		}
	}
}

// decision is what becomes of one member's items of a batch.
type decision struct {
	keeper   *Keeper
	ctx      context.Context //nolint:containedctx // the value is one call's
	by       Sender
	batch    *Batch
	member   loop.MemberID
	names    map[biomarker.Name]biomarker.Code
	places   []int // of the member's items in the batch
	outcomes []Outcome
	settling bool

	existing Existing
	known    map[Hash][]Version // what is there, and what the change adds
	change   Change
}

func (d *decision) carryOut() error {
	there, err := d.keeper.Members.Exists(d.ctx, d.member)
	if err != nil {
		return err
	}
	if !there {
		d.refuseAll(nobody)
		return nil
	}
	err = d.keeper.Archive.Import(d.ctx, d.member, d.decide)
	switch {
	case errors.Is(err, errDryRun):
		return nil
	case errors.Is(err, loop.ErrNotFound): // erased
		d.refuseAll(nobody)
		return nil
	case errors.Is(err, biomarker.ErrFull):
		d.refuseAll(loop.AsError(err).Description)
		return nil
	}
	return err
}

const nobody = "There is no member of this id."

func (d *decision) refuseAll(reason string) {
	for _, place := range d.places {
		d.outcomes[place] = Outcome{Kind: Refused, Reason: reason}
	}
}

// decide may be called again, where a transaction has to be repeated.
func (d *decision) decide(existing Existing) (Change, error) {
	d.existing, d.change = existing, Change{}
	identities := make([]Hash, len(d.places))
	for i, place := range d.places {
		identities[i] = existing.Hash(identity(&d.batch.Items[place].Result))
	}
	var err error
	if d.known, err = existing.Versions(identities); err != nil {
		return Change{}, err
	}
	for i, place := range d.places {
		outcome := d.settle(identities[i], &d.batch.Items[place].Result)
		d.outcomes[place] = outcome
		if d.settling && outcome.Kind != Refused && outcome.Kind != Aside {
			d.change.Settled = append(d.change.Settled, identities[i])
		}
	}
	if err := d.settleAsides(); err != nil {
		return Change{}, err
	}
	if d.batch.DryRun {
		return Change{}, errDryRun
	}
	d.change.Messages = d.keeper.Catalogue.News(d.keeper.Events, d.member, d.change.Add)
	d.change.Record = d.record()
	return d.change, nil
}

// record says what was done, without a result's content.
func (d *decision) record() audit.Record {
	detail := audit.Detail{"count": strconv.Itoa(len(d.change.Add)), "source": d.batch.Source}
	for name, count := range map[string]int{"retracted": len(d.change.Retract), "aside": len(d.change.Aside), "settled": len(d.change.Settled)} {
		if count > 0 {
			detail[name] = strconv.Itoa(count)
		}
	}
	return audit.Record{
		At: d.keeper.World.Now(), Event: audit.BiomarkersImported, Actor: d.by.Actor, Member: d.member,
		Client: d.by.Client, Grant: d.by.Grant, Detail: detail, Origin: audit.OriginOf(d.ctx),
	}
}
