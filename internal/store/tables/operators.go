package tables

import (
	"context"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/operator"
	"github.com/loop-health/loop/internal/store"
)

const (
	selectOperator  = `SELECT member_id, role, added_at FROM operators WHERE member_id = $1`
	selectOperators = `SELECT member_id, role, added_at FROM operators ORDER BY member_id`
	putOperator     = `INSERT INTO operators (member_id, role, added_at) VALUES ($1, $2, $3) ON CONFLICT (member_id) DO UPDATE SET role = excluded.role`
	deleteOperator  = `DELETE FROM operators WHERE member_id = $1`
)

// Operator reads a member's role (operator.Store).
func (s Identity) Operator(ctx context.Context, id loop.MemberID) (*operator.Operator, error) {
	o, err := scanOperator(s.db.Row(ctx, selectOperator, id))
	if err != nil {
		return nil, store.Found(err)
	}
	return &o, nil
}

// Operators lists all (operator.Store).
func (s Identity) Operators(ctx context.Context) ([]operator.Operator, error) {
	return list(ctx, s.db, scanOperator, selectOperators)
}

// PutOperator adds one, or gives them another role (operator.Store).
func (s Identity) PutOperator(ctx context.Context, o operator.Operator, rec audit.Record) error {
	return s.db.Do(ctx, func(tx Act) error {
		tx.Exec(putOperator, o.Member, string(o.Role), store.Micro(o.AddedAt))
		return tx.Record(rec)
	})
}

// RemoveOperator takes a role away (operator.Store).
func (s Identity) RemoveOperator(ctx context.Context, id loop.MemberID, rec audit.Record) error {
	return s.db.Do(ctx, func(tx Act) error {
		tx.One(loop.ErrNotFound, deleteOperator, id)
		return tx.Record(rec)
	})
}

// RecordView writes a record, and nothing else (operator.Store).
func (s Identity) RecordView(ctx context.Context, rec audit.Record) error {
	return s.db.Do(ctx, func(tx Act) error { return tx.Record(rec) })
}

func scanOperator(row Scanner) (o operator.Operator, err error) {
	err = row.Scan(text(&o.Member), text(&o.Role), moment(&o.AddedAt))
	return o, err
}
