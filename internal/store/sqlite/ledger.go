package sqlite

import (
	"context"
	"fmt"
	"slices"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store"
	"github.com/loop-health/loop/internal/store/tables"
)

// Decide carries out a decision of the authorization server (oauth.Ledger). The
// one writer makes it the only decision at its moment.
func (s *Identity) Decide(ctx context.Context, subject oauth.Subject, decide func(oauth.State) (oauth.Change, error)) error {
	var refusal error
	err := s.db.WriteAgain(ctx, func(tx *Tx) (err error) {
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

// What a decision rests on besides the client, in one statement: $1 is the member,
// $2 the client, $3 the grant that is named and $4 the chain. Which grant it is
// about says oauth.Subject.
const (
	liveGrant = `(SELECT id FROM grants WHERE member_id = $1 AND client_id = $2 AND revoked_at = 0)`

	selectState = `
SELECT n.value, g.*, m.* FROM revocation_counter AS n
LEFT JOIN (SELECT ` + tables.GrantColumns + ` FROM grants) AS g ON g.id = coalesce(nullif($3, ''), ` + liveGrant + `)
LEFT JOIN (SELECT ` + tables.MemberColumns + ` FROM members) AS m ON m.id = coalesce(g.member_id, $1)`

	selectStateOfChain = `
SELECT n.value, g.*, m.*, c.* FROM revocation_counter AS n
LEFT JOIN (SELECT ` + tables.ChainColumns + ` FROM chains) AS c ON c.member_id = $1 AND c.id = $4
LEFT JOIN (SELECT ` + tables.GrantColumns + ` FROM grants) AS g ON g.member_id = $1 AND g.id = coalesce(c.grant_id, nullif($3, ''), ` + liveGrant + `)
LEFT JOIN (SELECT ` + tables.MemberColumns + ` FROM members) AS m ON m.id = $1`
)

// readState reads what the subject names; what is not there stays nil.
func (s *Identity) readState(tx *Tx, subject oauth.Subject) (st oauth.State, err error) {
	var (
		chain  loop.Chain
		grant  loop.Grant
		member tables.MemberRow
	)
	query, args := selectState, []any{string(subject.Member), string(subject.Client), string(subject.Grant)}
	fields := [][]any{{&st.Counter}, tables.GrantFields(&grant), tables.MemberFields(&member)}
	if subject.Chain != "" {
		query, args, fields = selectStateOfChain, append(args, string(subject.Chain)), append(fields, tables.ChainFields(&chain))
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
		if st.Member, err = s.OpenMember(context.Background(), &member); err != nil {
			return st, err
		}
	}
	st.Client, err = store.Optional(s.clientIn(tx, client))
	return st, err
}

// apply writes a change.
func (s *Identity) apply(tx *Tx, st oauth.State, change oauth.Change) error {
	if err := tables.Apply(tx, s.world.Now(), st, change); err != nil {
		return err
	}
	return s.revoke(tx, change.Revoke)
}

func (s *Identity) revokeAndRecord(tx *Tx, revocations []loop.Revocation, records []audit.Record) error {
	if err := s.revoke(tx, revocations); err != nil {
		return err
	}
	return tables.RecordAll(tx, records)
}

// revoke gives revocations their numbers, and has memory know of them before the act
// is answered.
func (s *Identity) revoke(tx *Tx, revocations []loop.Revocation) error {
	for _, revocation := range revocations {
		var number uint64
		if err := tx.QueryRow(`UPDATE revocation_counter SET value = value + 1 RETURNING value`).Scan(&number); err != nil {
			return fmt.Errorf("revoking a %s: %w", revocation.Kind, err)
		}
		tx.Exec(`INSERT INTO revocations (number, kind, id, expires_at) VALUES ($1, $2, $3, $4)`,
			number, revocation.Kind, revocation.ID, store.Micro(revocation.ExpiresAt))
		tx.AfterCommit(func() { s.revocations.Apply(number, revocation) })
	}
	return nil
}

func (s *Identity) loadRevocations(ctx context.Context) error {
	err := s.db.Rows(ctx, func(row tables.Scanner) error {
		var (
			number     uint64
			revocation loop.Revocation
			expires    int64
		)
		if err := row.Scan(&number, &revocation.Kind, &revocation.ID, &expires); err != nil {
			return err
		}
		revocation.ExpiresAt = store.FromMicro(expires)
		s.revocations.Apply(number, revocation)
		return nil
	}, `SELECT number, kind, id, expires_at FROM revocations ORDER BY number`)
	if err != nil {
		return err
	}
	at, err := s.Epoch(ctx) // the newest may have been swept
	s.revocations.Raise(at)
	return err
}
