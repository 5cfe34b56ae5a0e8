package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store"
	"github.com/loop-health/loop/internal/store/tables"
)

// Decide carries out a decision of the authorization server (oauth.Ledger), in two
// round trips: what it rests on, and what it writes.
func (s *IdentityStore) Decide(ctx context.Context, subject oauth.Subject, decide func(oauth.State) (oauth.Change, error)) error {
	var refusal error
	err := s.write(ctx, func(tx *Tx) error {
		state, err := s.readState(tx, subject)
		if err != nil {
			return err
		}
		var change oauth.Change
		change, refusal = decide(state)
		return s.apply(tx, state, change)
	})
	if err != nil {
		return err
	}
	return refusal
}

// What a decision rests on besides the client: $1 is the member, $2 the client, $3
// the grant that is named and $4 the chain. Which grant it is about says
// oauth.Subject.
//
// The lock makes it the only decision about the member and the client at its moment.
// It is a statement of its own: the one behind it sees all that was committed
// before the lock was had. It is no lock on rows, which would have to be written to.
// What is about a client alone, a service's own token, changes nothing that another
// decision rests on, and takes none: one service's requests would wait in line.
const (
	lockSubject = `
SELECT pg_advisory_xact_lock(hashtextextended(coalesce(
	(SELECT member_id || ' ' || client_id FROM chains WHERE member_id = $1 AND id = $4),
	(SELECT member_id || ' ' || client_id FROM grants WHERE id = $3),
	$1::text || ' ' || $2::text), 0))`

	selectState = `
SELECT n.value, coalesce(k.xmin::text::bigint, 0), g.*, m.*, c.* FROM revocation_counter AS n
LEFT JOIN (SELECT ` + tables.ChainColumns + ` FROM chains WHERE member_id = $1 AND id = $4) AS c ON true
LEFT JOIN (SELECT ` + tables.GrantColumns + ` FROM grants) AS g ON g.id = coalesce(c.grant_id, nullif($3, ''),
	(SELECT id FROM grants WHERE member_id = $1 AND client_id = $2 AND revoked_at = 0))
LEFT JOIN (SELECT ` + tables.MemberColumns + ` FROM members) AS m ON m.id = coalesce(g.member_id, $1)
LEFT JOIN clients AS k ON k.id = coalesce(g.client_id, $2)`
)

// readState reads what the subject names; what is not there stays nil.
func (s *IdentityStore) readState(tx *Tx, subject oauth.Subject) (st oauth.State, err error) {
	var (
		chain    loop.Chain
		grant    loop.Grant
		member   tables.MemberRow
		revision int64
	)
	args := []any{subject.Member, subject.Client, subject.Grant, subject.Chain}
	fields := slices.Concat([]any{&st.Counter, &revision}, tables.GrantFields(&grant), tables.MemberFields(&member), tables.ChainFields(&chain))
	if subject.Member != "" || subject.Grant != "" {
		tx.Exec(lockSubject, args...)
	}
	err = tx.QueryRow(func(row tables.Scanner) error { return row.Scan(fields...) }, selectState, args...)
	if err != nil {
		return st, fmt.Errorf("reading what is to be decided on: %w", err)
	}
	client := subject.Client
	if chain.ID != "" {
		st.Chain = &chain
	}
	if grant.ID != "" {
		st.Grant, client = &grant, grant.Client
	}
	if member.ID != "" {
		if st.Member, err = s.OpenMember(tx.ctx, &member); err != nil {
			return st, err
		}
	}
	st.Client, err = s.clientIn(tx, client, uint32(revision)) //nolint:gosec // G115: a transaction's number has 32 bits
	return st, err
}

// apply writes a change.
func (s *IdentityStore) apply(tx *Tx, st oauth.State, change oauth.Change) error {
	if err := tables.Apply(tx, s.world.Now(), st, change); err != nil {
		return err
	}
	s.publish(tx, change.Revoke)
	return nil
}

// publish gives revocations, and what else all processes must know, their numbers. It
// comes last in a transaction: the counter is locked to its end. Memory knows of
// them before the act is answered, here and everywhere.
func (s *IdentityStore) publish(tx *Tx, all []loop.Revocation) {
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
			tx.awaits = max(tx.awaits, number)
		})
	}
	if len(all) > 0 {
		tx.Exec(`SELECT pg_notify('` + channel + `', '')`)
	}
}
