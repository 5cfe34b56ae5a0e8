package tables

import (
	"context"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/store"
)

const (
	selectFactor = `SELECT secret, created_at, (SELECT count(*) FROM recovery_codes WHERE member_id = $1) FROM second_factors WHERE member_id = $1`
	insertFactor = `INSERT INTO second_factors (member_id, secret, step, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`
	deleteFactor = `DELETE FROM second_factors WHERE member_id = $1`
	// holdFactor changes nothing: it finds the factor that the codes belong to.
	holdFactor = `UPDATE second_factors SET step = step WHERE member_id = $1`
	// useStep takes a step of the clock that is later than the last that was used.
	useStep             = `UPDATE second_factors SET step = $1 WHERE member_id = $2 AND step < $1`
	insertRecoveryCode  = `INSERT INTO recovery_codes (member_id, hash) VALUES ($1, $2)`
	deleteRecoveryCode  = `DELETE FROM recovery_codes WHERE member_id = $1 AND hash = $2`
	deleteRecoveryCodes = `DELETE FROM recovery_codes WHERE member_id = $1`
)

// Factor reads a member's second factor (signin.FactorStore).
func (s Identity) Factor(ctx context.Context, m loop.MemberID) (*signin.Factor, error) {
	var left int64
	f := signin.Factor{Member: m}
	if err := s.db.Row(ctx, selectFactor, m).Scan(&f.Sealed, moment(&f.CreatedAt), &left); err != nil {
		return nil, store.Found(err)
	}
	f.CodesLeft = int(left)
	return &f, nil
}

// AddFactor inserts a second factor with its recovery codes (signin.FactorStore).
func (s Identity) AddFactor(ctx context.Context, f *signin.Factor, step int64, codes signin.RecoveryHashes, messages []outbox.Message, rec audit.Record) error {
	return s.db.Do(ctx, func(tx Act) error {
		tx.One(signin.ErrUsedBefore, insertFactor, f.Member, f.Sealed, step, store.Micro(f.CreatedAt))
		setRecoveryCodes(tx, f.Member, codes)
		AddMessages(tx, messages)
		return tx.Record(rec)
	})
}

// RemoveFactor deletes a second factor with its recovery codes (signin.FactorStore).
func (s Identity) RemoveFactor(ctx context.Context, m loop.MemberID, messages []outbox.Message, rec audit.Record) error {
	return s.db.Do(ctx, func(tx Act) error {
		tx.One(loop.ErrNotFound, deleteFactor, m)
		tx.Exec(deleteRecoveryCodes, m)
		AddMessages(tx, messages)
		return tx.Record(rec)
	})
}

// SetRecoveryCodes replaces a member's recovery codes (signin.FactorStore).
func (s Identity) SetRecoveryCodes(ctx context.Context, m loop.MemberID, codes signin.RecoveryHashes, messages []outbox.Message, rec audit.Record) error {
	return s.db.Do(ctx, func(tx Act) error {
		tx.One(loop.ErrNotFound, holdFactor, m)
		setRecoveryCodes(tx, m, codes)
		AddMessages(tx, messages)
		return tx.Record(rec)
	})
}

func setRecoveryCodes(tx Tx, m loop.MemberID, codes signin.RecoveryHashes) {
	tx.Exec(deleteRecoveryCodes, m)
	for _, hash := range codes {
		tx.Exec(insertRecoveryCode, m, hash[:])
	}
}
