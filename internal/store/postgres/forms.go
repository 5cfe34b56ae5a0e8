package postgres

import (
	"context"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/store"
)

// takeForm stores a form with the act that it does; registration.ErrSentBefore where
// it did that before. Of two at once, the second waits for what becomes of the first.
func takeForm(tx *Tx, form *registration.Form) {
	if form != nil {
		tx.One(registration.ErrSentBefore, `INSERT INTO sent_forms (`+store.FormColumns+`) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`, store.FormValues(form)...)
	}
}

// SentForm reads a form that did its act; loop.ErrNotFound where none did.
func (s *IdentityStore) SentForm(ctx context.Context, hash [32]byte) (*registration.Form, error) {
	return store.ScanForm(s.db.QueryRow(ctx, `SELECT `+store.FormColumns+` FROM sent_forms WHERE hash = $1`, hash[:]))
}

// ClientRecords reads the newest records of a client's registration, newest first.
func (s *IdentityStore) ClientRecords(ctx context.Context, id loop.ClientID, atMost int) ([]audit.Record, error) {
	return list(ctx, s.db, store.ScanRecord, `SELECT `+store.AuditColumns+` FROM audit_records WHERE client_id = $1 AND `+store.RecordsOfApp+` ORDER BY at DESC, number DESC LIMIT $2`, id, atMost)
}
