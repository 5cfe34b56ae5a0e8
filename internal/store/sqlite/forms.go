package sqlite

import (
	"context"
	"fmt"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/store"
)

// takeForm stores a form with the act that it does; registration.ErrSentBefore where
// it did that before.
func takeForm(tx *Tx, form *registration.Form) error {
	if form == nil {
		return nil
	}
	added, err := tx.Exec(`INSERT INTO sent_forms (`+store.FormColumns+`) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, store.FormValues(form)...)
	if err != nil {
		return fmt.Errorf("storing a form: %w", err)
	}
	if added == 0 {
		return registration.ErrSentBefore
	}
	return nil
}

// SentForm reads a form that did its act; loop.ErrNotFound where none did.
func (s *Identity) SentForm(ctx context.Context, hash [32]byte) (*registration.Form, error) {
	return store.ScanForm(s.db.QueryRowContext(ctx, `SELECT `+store.FormColumns+` FROM sent_forms WHERE hash = ?`, hash[:]))
}

// ClientRecords reads the newest records of a client's registration, newest first.
func (s *Identity) ClientRecords(ctx context.Context, id loop.ClientID, atMost int) ([]audit.Record, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+store.AuditColumns+` FROM audit_records WHERE client_id = ? AND `+store.RecordsOfApp+` ORDER BY at DESC, number DESC LIMIT ?`, id, atMost)
	if err != nil {
		return nil, store.Unavailable(err)
	}
	var records []audit.Record
	err = eachRow(rows, func(row audit.Row) error {
		rec, err := row.Record()
		records = append(records, rec)
		return err
	})
	return records, err
}
