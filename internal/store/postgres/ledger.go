package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store"
	"github.com/loop-health/loop/internal/store/tables"
)

// decision is a decision of the authorization server on its way.
type decision struct {
	subject oauth.Subject
	decide  func(oauth.State) (oauth.Change, error)

	state   oauth.State
	change  oauth.Change
	refusal error  // of decide, which is returned once the change is durable
	awaits  uint64 // the revocation number that everybody must know before it is answered
}

// Decide carries out a decision of the authorization server (oauth.Ledger), together
// with others that come at the same time, in two round trips: what they rest on, and
// what they write. No two of them are about one member.
func (s *IdentityStore) Decide(ctx context.Context, subject oauth.Subject, decide func(oauth.State) (oauth.Change, error)) error {
	d := &decision{subject: subject, decide: decide}
	var err error
	if subject.Member == "" && subject.Grant != "" { // whose that is, only the database knows
		err = s.decideAlone(ctx, d)
	} else {
		err = s.decisions.do(ctx, string(subject.Member), d)
	}
	return s.answer(ctx, d, err)
}

// answer is what became of a decision, once everybody knows what it revokes.
func (s *IdentityStore) answer(ctx context.Context, d *decision, err error) error {
	if err == nil {
		err = s.known(ctx, d.awaits)
	}
	if err != nil {
		return err
	}
	return d.refusal
}

// newDecisions makes what carries decisions out together.
func (s *IdentityStore) newDecisions() *gathering[*decision] {
	return &gathering[*decision]{database: s.db, read: s.readStates, act: s.decideTogether, last: s.publishDecided, alone: s.decideAlone}
}

// decideAlone carries out one decision, and waits for whoever decides on the same.
func (s *IdentityStore) decideAlone(ctx context.Context, d *decision) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		if err := s.readState(tx, d); err != nil {
			return err
		}
		if err := s.decide(tx, d); err != nil {
			return err
		}
		s.publishDecided(tx, d)
		return nil
	})
}

// decideTogether is decide for one of several decisions. What is issued under a grant by
// the decision that revokes what was issued before counts on the number behind the one
// that it read (oauth.State), which a neighbour's revocation may get: it goes alone.
func (s *IdentityStore) decideTogether(tx *Tx, d *decision) error {
	if err := s.decide(tx, d); err != nil {
		return err
	}
	if grant := d.change.Grant; len(d.change.Revoke) > 0 && grant != nil && grant.RevokedAt.IsZero() {
		return errAlone
	}
	return nil
}

// decide has a decision made on what was read, and gathers what it writes.
func (s *IdentityStore) decide(tx *Tx, d *decision) error {
	d.change, d.refusal = d.decide(d.state)
	return tables.Apply(tx, s.world.Now(), d.state, d.change)
}

func (s *IdentityStore) publishDecided(tx *Tx, d *decision) {
	s.publishTo(tx, d.change.Revoke, &d.awaits)
}

// What decisions rest on besides the client, of each subject: $1 are the members, $2
// the clients, $3 the grants that are named and $4 the chains. Which grant it is about
// says oauth.Subject.
//
// The lock makes it the only decision about the member and the client at its moment.
// It is a statement of its own: the one behind it sees all that was committed
// before the lock was had. It is no lock on rows, which would have to be written to.
// What is about a client alone, a service's own token, changes nothing that another
// decision rests on, and takes none: one service's requests would wait in line.
//
// Decisions that are carried out together wait for nobody: where the lock is not to be
// had the decision is carried out alone, and so are all where a row is locked for long.
const (
	ofSubjects = ` FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS s (member_id, client_id, grant_id, chain_id, n)`

	subjectLock = `hashtextextended(coalesce(
	(SELECT member_id || ' ' || client_id FROM chains WHERE member_id = s.member_id AND id = s.chain_id),
	(SELECT member_id || ' ' || client_id FROM grants WHERE id = s.grant_id),
	s.member_id || ' ' || s.client_id), 0)`

	waitForSubject = `SELECT pg_advisory_xact_lock(` + subjectLock + `)` + ofSubjects + ` WHERE s.member_id <> '' OR s.grant_id <> ''`

	lockSubjects = `
SELECT s.n, s.member_id = '' AND s.grant_id = '' OR pg_try_advisory_xact_lock(` + subjectLock + `)` + ofSubjects + `
CROSS JOIN set_config('lock_timeout', $5, true)`

	selectStatesOf = `
SELECT s.n, v.value, coalesce(k.revision, 0), g.*, m.*, c.*` + ofSubjects + `
CROSS JOIN revocation_counter AS v
LEFT JOIN LATERAL (SELECT ` + tables.ChainColumns + ` FROM chains WHERE member_id = s.member_id AND id = s.chain_id) AS c ON true
LEFT JOIN LATERAL (SELECT ` + tables.GrantColumns + ` FROM grants WHERE id = coalesce(c.grant_id, nullif(s.grant_id, ''),
	(SELECT id FROM grants WHERE member_id = s.member_id AND client_id = s.client_id AND revoked_at = 0))) AS g ON true
LEFT JOIN LATERAL (SELECT ` + tables.MemberColumns + ` FROM members WHERE id = coalesce(g.member_id, s.member_id)) AS m ON true
LEFT JOIN LATERAL (SELECT xmin::text::bigint AS revision FROM clients WHERE id = coalesce(g.client_id, s.client_id)) AS k ON true`

	// lockTogether is how long decisions that are carried out together wait for a row
	// that somebody else has locked, in milliseconds.
	lockTogether = "200"
)

// subjects are the parameters of ofSubjects.
func subjects(all ...*decision) []any {
	var members, clients, grants, chains []string
	for _, d := range all {
		members, clients = append(members, string(d.subject.Member)), append(clients, string(d.subject.Client))
		grants, chains = append(grants, string(d.subject.Grant)), append(chains, string(d.subject.Chain))
	}
	return []any{members, clients, grants, chains}
}

// readState reads what one decision rests on, once nobody else decides on the same.
func (s *IdentityStore) readState(tx *Tx, d *decision) error {
	args := subjects(d)
	if d.subject.Member != "" || d.subject.Grant != "" {
		tx.Exec(waitForSubject, args...)
	}
	found, err := selectStates(tx, 1, args)
	if err != nil {
		return err
	}
	return s.take(tx, d, &found[0])
}

// readStates reads what decisions rest on. Those that somebody else is deciding on are
// left to be carried out alone.
func (s *IdentityStore) readStates(tx *Tx, together []*errand[*decision]) error {
	all := make([]*decision, len(together))
	for i, e := range together {
		all[i] = e.of
	}
	args := subjects(all...)
	tx.pending.Queue(lockSubjects, append(args[:len(args):len(args)], lockTogether)...).Query(func(rows pgx.Rows) error {
		return eachRow(rows, func(row tables.Scanner) error {
			var n int
			var locked bool
			err := row.Scan(&n, &locked)
			if err == nil && !locked {
				together[n-1].alone = true
			}
			return err
		})
	})
	found, err := selectStates(tx, len(all), args)
	if err != nil {
		return err
	}
	for i, e := range together {
		if !e.alone && e.err == nil {
			e.err = s.take(tx, e.of, &found[i])
		}
	}
	return nil
}

// selectStates reads what so many subjects name; what is not there stays empty.
func selectStates(tx *Tx, subjects int, args []any) ([]stateRow, error) {
	found := make([]stateRow, subjects)
	err := tx.Each(func(row tables.Scanner) error {
		var n int
		var one stateRow
		if err := row.Scan(append([]any{&n}, one.fields()...)...); err != nil {
			return err
		}
		found[n-1] = one
		return nil
	}, selectStatesOf, args...)
	if err != nil {
		return nil, fmt.Errorf("reading what is to be decided on: %w", err)
	}
	return found, nil
}

// stateRow is a row of selectStatesOf.
type stateRow struct {
	counter  uint64
	revision int64
	grant    loop.Grant
	member   tables.MemberRow
	chain    loop.Chain
}

func (r *stateRow) fields() []any {
	return slices.Concat([]any{&r.counter, &r.revision}, tables.GrantFields(&r.grant), tables.MemberFields(&r.member), tables.ChainFields(&r.chain))
}

// take gives a decision what was read for it.
func (s *IdentityStore) take(tx *Tx, d *decision, found *stateRow) (err error) {
	d.state = oauth.State{Counter: found.counter}
	client := d.subject.Client
	if found.chain.ID != "" {
		d.state.Chain = &found.chain
	}
	if found.grant.ID != "" {
		d.state.Grant, client = &found.grant, found.grant.Client
	}
	if found.member.ID != "" {
		if d.state.Member, err = s.OpenMember(tx.ctx, &found.member); err != nil {
			return err
		}
	}
	d.state.Client, err = s.clientIn(tx, client, uint32(found.revision)) //nolint:gosec // G115: a transaction's number has 32 bits
	return err
}

// publish gives revocations, and what else all processes must know, their numbers. It
// comes last in a transaction: the counter is locked to its end. Memory knows of
// them before the act is answered, here and everywhere.
func (s *IdentityStore) publish(tx *Tx, all []loop.Revocation) { s.publishTo(tx, all, &tx.awaits) }

// publishTo is publish where whoever answers waits for the number in awaits (known).
func (s *IdentityStore) publishTo(tx *Tx, all []loop.Revocation, awaits *uint64) {
	for _, revocation := range all {
		var number uint64
		tx.Then(func(row tables.Scanner) error { return row.Scan(&number) }, `
WITH n AS (UPDATE revocation_counter SET value = value + 1 RETURNING value)
INSERT INTO revocations (number, kind, id, expires_at) SELECT value, $1, $2, $3 FROM n RETURNING number`,
			revocation.Kind, revocation.ID, store.Micro(revocation.ExpiresAt))
		tx.AfterCommit(func() {
			if revocation.Kind != clientChanged && revocation.Kind != keysChanged {
				s.revocations.Apply(number, revocation)
			}
			*awaits = max(*awaits, number)
		})
	}
	if len(all) > 0 {
		tx.Exec(`SELECT pg_notify('` + channel + `', '')`)
	}
}
