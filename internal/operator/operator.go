// Package operator is the rules of members who work for whoever runs the platform: who
// they are, what their role lets them do, and how fresh their sign-in has to be. The
// command line makes the first of them; it is an operator by the folder that it may open.
package operator

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

// Role is what an operator may do.
type Role string

// The roles, each of which may do what those before it may.
const (
	Viewer Role = "viewer" // sees members, apps and the record
	Acting Role = "acting" // suspends, disables, ends grants and sessions
)

// Roles are all of them, the one that may do least first.
var Roles = []Role{Viewer, Acting}

// Covers reports whether the role may do what another may.
func (r Role) Covers(other Role) bool {
	return slices.Contains(Roles, r) && slices.Index(Roles, r) >= slices.Index(Roles, other)
}

// Operator is a member with a role.
type Operator struct {
	Member  loop.MemberID
	Role    Role
	AddedAt time.Time
}

// Store is what is kept of operators.
type Store interface {
	// Operator reads one; loop.ErrNotFound where the member is none.
	Operator(ctx context.Context, id loop.MemberID) (*Operator, error)
	// Operators lists all, by their member's id.
	Operators(ctx context.Context) ([]Operator, error)
	// PutOperator adds one, or gives them another role, with its record.
	PutOperator(ctx context.Context, o Operator, rec audit.Record) error
	// RemoveOperator takes the role away with its record; loop.ErrNotFound where there is
	// none.
	RemoveOperator(ctx context.Context, id loop.MemberID, rec audit.Record) error
	// RecordView writes the record of something that an operator looked at.
	RecordView(ctx context.Context, rec audit.Record) error
}

// Team is the operators with what their rules need.
type Team struct {
	Store Store
	World loop.World
}

// Add makes a member an operator, or gives them another role. An unknown role is a
// ValidationError.
func (t *Team) Add(ctx context.Context, m *loop.Member, role Role, by audit.Actor) error {
	if !slices.Contains(Roles, role) {
		return loop.Errorf(loop.ValidationError, "The role is viewer or acting.").About("role")
	}
	if m.Suspended {
		return loop.Errorf(loop.ValidationError, "The member is suspended, and can't be an operator.").About("user")
	}
	now := t.World.Now()
	rec := audit.NewRecord(ctx, now, audit.OperatorAdded, by)
	rec.Member, rec.Detail = m.ID, audit.Detail{"role": string(role)}
	return t.Store.PutOperator(ctx, Operator{Member: m.ID, Role: role, AddedAt: now}, rec)
}

// Remove takes a member's role away, at once; NotFound where they have none.
func (t *Team) Remove(ctx context.Context, id loop.MemberID, by audit.Actor) error {
	rec := audit.NewRecord(ctx, t.World.Now(), audit.OperatorRemoved, by)
	rec.Member = id
	err := t.Store.RemoveOperator(ctx, id, rec)
	if errors.Is(err, loop.ErrNotFound) {
		return loop.Errorf(loop.NotFound, "This member is no operator.")
	}
	return err
}

// List gives all operators.
func (t *Team) List(ctx context.Context) ([]Operator, error) { return t.Store.Operators(ctx) }

// Viewed records that an operator, or a service of theirs, looks at something: what, and
// whose it is. What they are shown MUST wait for it.
func (t *Team) Viewed(ctx context.Context, by audit.Actor, what string, m loop.MemberID, c loop.ClientID) error {
	rec := audit.NewRecord(ctx, t.World.Now(), audit.OperatorViewed, by)
	rec.Member, rec.Client, rec.Detail = m, c, audit.Detail{"page": what}
	return t.Store.RecordView(ctx, rec)
}
