package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
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
	state, err := readState(tx, subject)
	if err != nil {
		return nil, err
	}
	change, refusal := decide(state)
	return refusal, s.apply(tx, state, change)
}

// readState reads what the subject names; what is not there stays nil.
func readState(tx *Tx, subject oauth.Subject) (st oauth.State, err error) {
	if subject.Chain != "" {
		st.Chain, err = optional(scanChain(tx.QueryRow(`SELECT `+chainColumns+` FROM chains WHERE member_id = ? AND id = ?`, subject.Member, subject.Chain)))
		if err != nil {
			return st, fmt.Errorf("reading a chain: %w", err)
		}
	}
	if st.Grant, err = readGrant(tx, subject, st.Chain); err != nil {
		return st, fmt.Errorf("reading a grant: %w", err)
	}
	member, client := subject.Member, subject.Client
	if st.Grant != nil {
		member, client = st.Grant.Member, st.Grant.Client
	}
	row := tx.QueryRow(`SELECT `+clientColumns+`, (SELECT value FROM revocation_counter) FROM clients WHERE id = ?`, client)
	if st.Client, err = optional(scanClient(withColumn{row, &st.Counter})); err != nil {
		return st, fmt.Errorf("reading a client and the revocation counter: %w", err)
	}
	if st.Member, err = optional(scanMember(tx.QueryRow(`SELECT `+memberColumns+` FROM members WHERE id = ?`, member))); err != nil {
		return st, fmt.Errorf("reading a member: %w", err)
	}
	return st, nil
}

func readGrant(tx *Tx, subject oauth.Subject, chain *loop.Chain) (*loop.Grant, error) {
	switch {
	case chain != nil:
		return optional(scanGrant(tx.QueryRow(`SELECT `+grantColumns+` FROM grants WHERE member_id = ? AND id = ?`, chain.Member, chain.Grant)))
	case subject.Grant != "":
		return optional(scanGrant(tx.QueryRow(`SELECT `+grantColumns+` FROM grants WHERE id = ?`, subject.Grant)))
	default:
		return optional(scanGrant(tx.QueryRow(`SELECT `+grantColumns+` FROM grants WHERE member_id = ? AND client_id = ? AND revoked_at = 0`, subject.Member, subject.Client)))
	}
}

// optional turns the absence of a record into nil.
func optional[T any](record *T, err error) (*T, error) {
	if errors.Is(err, loop.ErrNotFound) {
		return nil, nil //nolint:nilnil // absent and no error is the meaning
	}
	return record, err
}

// apply writes a change.
func (s *Identity) apply(tx *Tx, st oauth.State, change oauth.Change) error {
	if change.Grant != nil {
		if err := putGrant(tx, change.Grant); err != nil {
			return fmt.Errorf("writing a grant: %w", err)
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
	_, err := tx.Exec(`UPDATE chains SET ended_at = ?, ending = ? WHERE member_id = ? AND ended_at = 0 AND id IN (
		SELECT id FROM chains WHERE member_id = ? AND grant_id = ? AND ended_at = 0 ORDER BY created_at DESC, id DESC LIMIT -1 OFFSET ?)`,
		unixMicro(s.world.Now()), loop.EndingReplaced, change.Chain.Member, change.Chain.Member, change.Chain.Grant, change.Keep)
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
		number, revocation.Kind, revocation.ID, unixMicro(revocation.ExpiresAt))
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
		revocation.ExpiresAt = fromMicro(expires)
		s.revocations.Apply(number, revocation)
	}
	return rows.Err()
}
