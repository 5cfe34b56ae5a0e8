package audit

import (
	"context"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// Record is one thing that happened: when, who, what, on whom, from where,
// under which grant and in which request. It never holds a token, a secret or
// a health value.
type Record struct {
	At     time.Time
	Event  Event
	Actor  Actor
	Member loop.MemberID // whom it concerns, if anyone
	Client loop.ClientID // through which app, if any
	Grant  loop.GrantID  // under which grant, if any
	Detail Detail        // what else belongs to it: scopes, a reason, a count

	Origin Origin
}

// NewRecord begins the record of an act at a moment, for the request of ctx.
func NewRecord(ctx context.Context, at time.Time, event Event, by Actor) Record {
	return Record{At: at, Event: event, Actor: by, Origin: OriginOf(ctx)}
}

// OfMember begins the record of what a member did to what is their own.
func OfMember(ctx context.Context, at time.Time, event Event, m loop.MemberID) Record {
	rec := NewRecord(ctx, at, event, Actor{Kind: ByMember, ID: string(m)})
	rec.Member = m
	return rec
}

// Detail is a few words beside a record, keyed by what they say. Keys and
// values are chosen by the code, never copied from a stranger's request.
type Detail map[string]string

// Actor is who acted: a kind and, but for the system, an identifier.
type Actor struct {
	Kind ActorKind
	ID   string
}

// ActorKind says what kind of actor it was.
type ActorKind string

// The kinds of actors.
const (
	ByMember   ActorKind = "member"
	ByClient   ActorKind = "client"
	ByOperator ActorKind = "operator"
	BySystem   ActorKind = "system"
	ByStranger ActorKind = "stranger" // somebody who has not shown who they are
)

// Origin is where a request came from.
type Origin struct {
	Request loop.RequestID
	Address string // the IP, without port
}

type originKey struct{}

// WithOrigin notes in the context where the request came from, so that every
// record made on its behalf says so.
func WithOrigin(ctx context.Context, origin Origin) context.Context {
	return context.WithValue(ctx, originKey{}, origin)
}

// OriginOf gives the origin that WithOrigin noted; empty for the system's own work.
func OriginOf(ctx context.Context) Origin {
	origin, _ := ctx.Value(originKey{}).(Origin)
	return origin
}
