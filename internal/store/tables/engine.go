package tables

import (
	"context"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
)

// Tx is a transaction as the tables write in it.
//
// An engine may send a statement later than it is given, with the next that somebody
// waits for, or with the commit. So a failure of the database is no result of a
// method: it undoes the whole transaction, which then ends with
// loop.TemporarilyUnavailable.
type Tx interface {
	// Exec changes as many rows as it finds.
	Exec(query string, args ...any)
	// One inserts, changes or deletes one row exactly, by a statement that returns
	// nothing. Where it finds none, the transaction is undone and ends with otherwise.
	One(otherwise error, query string, args ...any)
}

// Act is the transaction of a whole act.
type Act interface {
	Tx
	// Count changes as many rows as it finds, and says how many.
	Count(query string, args ...any) (rows int64, err error)
	// Each gives every row of a query to scan, in order. An error of scan ends it.
	Each(scan func(Scanner) error, query string, args ...any) error
	// Then gives the one row of a query to scan, before Do returns.
	Then(scan func(Scanner) error, query string, args ...any)
	// Record appends a record to the audit chain, in this transaction.
	Record(rec audit.Record) error
	// AtEnd has f run once the transaction is over, durable or undone.
	AtEnd(f func())
}

// Reader reads what is committed. A failure of the database is
// loop.TemporarilyUnavailable, of Row where it is scanned and went through store.Found.
type Reader interface {
	// Row reads one row; sql.ErrNoRows where there is none.
	Row(ctx context.Context, query string, args ...any) Scanner
	// Rows gives every row of a query to scan, in order. An error of scan ends it.
	Rows(ctx context.Context, scan func(Scanner) error, query string, args ...any) error
}

// Database is an engine's database of one schema.
type Database interface {
	Reader
	// Do runs an act in a transaction and returns once it is durable. An error of the
	// act undoes it and is returned as it is.
	Do(ctx context.Context, act func(Act) error) error
}

// Identity is those acts and reads of identity's store that are the same on every
// engine: the engine's own store embeds it and adds the others.
type Identity struct {
	Deliveries
	db    Database
	world loop.World
	cache *store.ClientCache
	keys  PersonKeys
	form  *memberForm
}

// PersonKeys gives the keys that names and addresses are sealed under.
type PersonKeys interface {
	DataKeys
	// Address is the hash by which an e-mail address is looked up.
	Address(email loop.Email) [32]byte
}

// NewIdentity makes them for a database with identity's schema; the cache is the one
// that the engine reads clients through.
func NewIdentity(db Database, world loop.World, cache *store.ClientCache, keys PersonKeys) Identity {
	return Identity{Deliveries: Deliveries{db}, db: db, world: world, cache: cache, keys: keys, form: new(memberForm)}
}

// Clinical is those acts of clinical's store that are the same on every engine: the
// engine's own store embeds it and adds the others.
type Clinical struct {
	Deliveries
	db    Database
	world loop.World
	keys  DataKeys
	lock  func(tx Tx, member loop.MemberID)
	form  *resultForm
}

// DataKeys gives the keys that members' data is sealed under.
type DataKeys interface {
	// Key gives a member's key; loop.ErrNotFound where none was made,
	// credential.ErrErased where the member was erased.
	Key(ctx context.Context, member loop.MemberID, use credential.DataUse) (*credential.DataKey, error)
	// Make gives a member's key, which is made, and durable, where there is none.
	Make(ctx context.Context, member loop.MemberID, use credential.DataUse) (*credential.DataKey, error)
}

// NewClinical makes them for a database with clinical's schema. lock keeps acts on
// one member's results apart until the transaction ends.
func NewClinical(db Database, world loop.World, keys DataKeys, lock func(tx Tx, member loop.MemberID)) Clinical {
	return Clinical{Deliveries: Deliveries{db}, db: db, world: world, keys: keys, lock: lock, form: new(resultForm)}
}

// list reads all rows of a query.
func list[T any](ctx context.Context, db Reader, scan func(Scanner) (T, error), query string, args ...any) ([]T, error) {
	var all []T
	err := db.Rows(ctx, into(&all, scan), query, args...)
	return all, err
}

// into has each row that is scanned appended.
func into[T any](all *[]T, scan func(Scanner) (T, error)) func(Scanner) error {
	return func(row Scanner) error {
		one, err := scan(row)
		if err == nil {
			*all = append(*all, one)
		}
		return err
	}
}

// RecordAll appends records to the audit chain.
func RecordAll(tx Act, records []audit.Record) error {
	for _, rec := range records {
		if err := tx.Record(rec); err != nil {
			return err
		}
	}
	return nil
}
