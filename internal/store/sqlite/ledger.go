package sqlite

import (
	"context"
	"fmt"
	"slices"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store"
)

// Decide carries out a decision of the authorization server (oauth.Ledger). The
// one writer makes it the only decision at its moment.
func (s *Identity) Decide(ctx context.Context, subject oauth.Subject, decide func(oauth.State) (oauth.Change, error)) error {
	var refusal error
	err := s.db.Write(ctx, func(tx *Tx) (err error) {
		refusal, err = s.decide(tx, subject, decide)
		return err
	})
	if err != nil {
		return err
	}
	return refusal
}

func (s *Identity) decide(tx *Tx, subject oauth.Subject, decide func(oauth.State) (oauth.Change, error)) (refusal, err error) {
	state, err := s.readState(tx, subject)
	if err != nil {
		return nil, err
	}
	change, refusal := decide(state)
	return refusal, s.apply(tx, state, change)
}

// What a decision rests on besides the client, in one statement: ?1 is the member,
// ?2 the client, ?3 the grant that is named and ?4 the chain. Which grant it is
// about says oauth.Subject.
const (
	liveGrant = `(SELECT id FROM grants WHERE member_id = ?1 AND client_id = ?2 AND revoked_at = 0)`

	selectState = `
SELECT n.value, g.*, m.* FROM revocation_counter AS n
LEFT JOIN (SELECT ` + store.GrantColumns + ` FROM grants) AS g ON g.id = coalesce(nullif(?3, ''), ` + liveGrant + `)
LEFT JOIN (SELECT ` + store.MemberColumns + ` FROM members) AS m ON m.id = coalesce(g.member_id, ?1)`

	selectStateOfChain = `
SELECT n.value, g.*, m.*, c.* FROM revocation_counter AS n
LEFT JOIN (SELECT ` + store.ChainColumns + ` FROM chains) AS c ON c.member_id = ?1 AND c.id = ?4
LEFT JOIN (SELECT ` + store.GrantColumns + ` FROM grants) AS g ON g.member_id = ?1 AND g.id = coalesce(c.grant_id, nullif(?3, ''), ` + liveGrant + `)
LEFT JOIN (SELECT ` + store.MemberColumns + ` FROM members) AS m ON m.id = ?1`
)

// readState reads what the subject names; what is not there stays nil.
func (s *Identity) readState(tx *Tx, subject oauth.Subject) (st oauth.State, err error) {
	var (
		chain  loop.Chain
		grant  loop.Grant
		member loop.Member
	)
	query, args := selectState, []any{subject.Member, subject.Client, subject.Grant}
	fields := [][]any{{&st.Counter}, store.GrantFields(&grant), store.MemberFields(&member)}
	if subject.Chain != "" {
		query, args, fields = selectStateOfChain, append(args, subject.Chain), append(fields, store.ChainFields(&chain))
	}
	if err := tx.QueryRow(query, args...).Scan(slices.Concat(fields...)...); err != nil {
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
		st.Member = &member
	}
	st.Client, err = store.Optional(s.clientIn(tx, client))
	return st, err
}

// apply writes a change.
func (s *Identity) apply(tx *Tx, st oauth.State, change oauth.Change) error {
	if change.Grant != nil {
		if err := putGrant(tx, change.Grant); err != nil {
			return fmt.Errorf("writing a grant: %w", err)
		}
		if err := narrowChains(tx, st.Grant, change.Grant); err != nil {
			return fmt.Errorf("narrowing the chains of a grant: %w", err)
		}
	}
	if change.Chain != nil {
		if err := s.putChain(tx, st, change); err != nil {
			return fmt.Errorf("writing a chain: %w", err)
		}
	}
	if change.Notice != "" {
		if _, err := tx.Exec(`UPDATE members SET notice = ? WHERE id = ?`, change.Notice, st.Member.ID); err != nil {
			return fmt.Errorf("writing a notice: %w", err)
		}
	}
	if change.Completes != nil {
		if err := completePushed(tx, change.Completes, s.world.Now()); err != nil {
			return fmt.Errorf("completing a pushed request: %w", err)
		}
	}
	if change.Refused != nil {
		if err := tx.Tally(*change.Refused); err != nil {
			return fmt.Errorf("counting a refusal: %w", err)
		}
	}
	return s.revokeAndRecord(tx, change.Revoke, change.Records)
}

func (s *Identity) putChain(tx *Tx, st oauth.State, change oauth.Change) error {
	if st.Chain != nil {
		return updateChain(tx, st.Chain, change.Chain)
	}
	if err := insertChain(tx, change.Chain); err != nil {
		return err
	}
	// The new one stays, whatever the clock said when the others began.
	_, err := tx.Exec(`UPDATE chains SET ended_at = ?, ending = ? WHERE member_id = ? AND ended_at = 0 AND id IN (
		SELECT id FROM chains WHERE member_id = ? AND grant_id = ? AND ended_at = 0 AND id <> ? ORDER BY created_at DESC, id DESC LIMIT -1 OFFSET ?)`,
		store.Micro(s.world.Now()), loop.EndingReplaced, change.Chain.Member, change.Chain.Member, change.Chain.Grant, change.Chain.ID, change.Keep-1)
	return err
}

// revokeAndRecord gives revocations their numbers, has memory know of them
// before the act is answered, and appends the audit records.
func (s *Identity) revokeAndRecord(tx *Tx, revocations []loop.Revocation, records []audit.Record) error {
	for _, revocation := range revocations {
		if err := s.revoke(tx, revocation); err != nil {
			return fmt.Errorf("revoking a %s: %w", revocation.Kind, err)
		}
	}
	for _, rec := range records {
		if err := tx.Record(rec); err != nil {
			return err
		}
	}
	return nil
}

func (s *Identity) revoke(tx *Tx, revocation loop.Revocation) error {
	var number uint64
	if err := tx.QueryRow(`UPDATE revocation_counter SET value = value + 1 RETURNING value`).Scan(&number); err != nil {
		return err
	}
	_, err := tx.Exec(`INSERT INTO revocations (number, kind, id, expires_at) VALUES (?, ?, ?, ?)`,
		number, revocation.Kind, revocation.ID, store.Micro(revocation.ExpiresAt))
	if err != nil {
		return err
	}
	tx.AfterCommit(func() { s.revocations.Apply(number, revocation) })
	return nil
}

func (s *Identity) loadRevocations(ctx context.Context) error {
	rows, err := s.db.QueryContext(ctx, `SELECT number, kind, id, expires_at FROM revocations ORDER BY number`)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // reading: Err says what went wrong
	for rows.Next() {
		var (
			number     uint64
			revocation loop.Revocation
			expires    int64
		)
		if err := rows.Scan(&number, &revocation.Kind, &revocation.ID, &expires); err != nil {
			return err
		}
		revocation.ExpiresAt = store.FromMicro(expires)
		s.revocations.Apply(number, revocation)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	at, err := s.Epoch(ctx) // the newest may have been swept
	s.revocations.Raise(at)
	return err
}
