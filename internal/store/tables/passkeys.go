package tables

import (
	"context"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/store"
)

const passkeyColumns = `id, member_id, public_key, counter, synced, name, created_at, used_at` //nolint:gosec // G101: names of columns

const (
	selectPasskeys = `SELECT ` + passkeyColumns + ` FROM passkeys WHERE member_id = $1 ORDER BY created_at, id`
	insertPasskey  = `INSERT INTO passkeys (` + passkeyColumns + `) SELECT $1, $2, $3, $4, $5, $6, $7, $8
		WHERE (SELECT count(*) FROM passkeys WHERE member_id = $2) < $9 ON CONFLICT (id) DO NOTHING`
	usePasskey    = `UPDATE passkeys SET counter = $1, used_at = $2 WHERE id = $3 AND member_id = $4 AND counter = $5`
	deletePasskey = `DELETE FROM passkeys WHERE member_id = $1 AND id = $2`
	// holdForPasskey changes nothing: it keeps the member as they are, one act at a
	// time. What waits here would count by what it saw before the wait, so the passkeys
	// are counted by the next statement.
	holdForPasskey = `UPDATE members SET updated_at = updated_at WHERE id = $1 AND NOT suspended`
	insertSpent    = `INSERT INTO spent_proofs (hash, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`
)

// Passkeys lists a member's passkeys, the oldest first (signin.PasskeyStore).
func (s Identity) Passkeys(ctx context.Context, m loop.MemberID) ([]signin.Passkey, error) {
	return list(ctx, s.db, scanPasskey, selectPasskeys, m)
}

// AddPasskey inserts a passkey and uses up its challenge (signin.PasskeyStore).
func (s Identity) AddPasskey(ctx context.Context, p *signin.Passkey, spends signin.Spent, messages []outbox.Message, rec audit.Record) error {
	return s.db.Do(ctx, func(tx Act) error {
		spend(tx, spends)
		tx.One(signin.ErrPasskeyRefused, holdForPasskey, p.Member)
		tx.One(signin.ErrPasskeyRefused, insertPasskey,
			p.ID, p.Member, p.PublicKey, int64(p.Counter), p.Synced, p.Name, store.Micro(p.CreatedAt), store.Micro(p.UsedAt), signin.MaxPasskeys)
		AddMessages(tx, messages)
		return tx.Record(rec)
	})
}

// RemovePasskey deletes a member's passkey (signin.PasskeyStore).
func (s Identity) RemovePasskey(ctx context.Context, m loop.MemberID, id []byte, messages []outbox.Message, rec audit.Record) error {
	return s.db.Do(ctx, func(tx Act) error {
		tx.One(loop.ErrNotFound, deletePasskey, m, id)
		AddMessages(tx, messages)
		return tx.Record(rec)
	})
}

// useProof uses up what proved a member for a session.
func useProof(tx Tx, session *signin.Session, proof *signin.Proof) {
	if proof.Spends != nil {
		spend(tx, *proof.Spends)
	}
	if proof.Code != nil {
		useCode(tx, session.Member, proof.Code)
	}
	if p := proof.Passkey; p != nil {
		tx.One(signin.ErrUsedBefore, usePasskey, int64(p.After), store.Micro(session.Authentication.At), p.ID, session.Member, int64(p.Before))
	}
}

// useCode uses up a code of a second factor: a step of the clock, or a recovery code.
func useCode(tx Tx, m loop.MemberID, code *signin.CodeUse) {
	if code.Recovery != nil {
		tx.One(signin.ErrUsedBefore, deleteRecoveryCode, m, code.Recovery[:])
		return
	}
	tx.One(signin.ErrUsedBefore, useStep, code.Step, m)
}

// spend notes what works once.
func spend(tx Tx, spent signin.Spent) {
	tx.One(signin.ErrUsedBefore, insertSpent, spent.Hash[:], store.Micro(spent.ExpiresAt))
}

func scanPasskey(row Scanner) (p signin.Passkey, err error) {
	err = row.Scan(&p.ID, text(&p.Member), &p.PublicKey, integer(&p.Counter), truth(&p.Synced), text(&p.Name), moment(&p.CreatedAt), moment(&p.UsedAt))
	return p, err
}
