package tables

import (
	"context"
	"fmt"

	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/store"
)

const (
	selectForm = `SELECT content, client_id, sent_at, expires_at FROM sent_forms WHERE hash = $1`
	insertForm = `INSERT INTO sent_forms (hash, content, client_id, sent_at, expires_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`
)

// TakeForm stores a form, where there is one, with the act that it does;
// registration.ErrSentBefore where it did that before. Of two at once, the second
// waits for what becomes of the first.
func TakeForm(tx Tx, form *registration.Form) {
	if form != nil {
		tx.One(registration.ErrSentBefore, insertForm,
			form.Hash[:], form.Content[:], form.Client, store.Micro(form.SentAt), store.Micro(form.ExpiresAt))
	}
}

// SentForm reads a form that did its act; loop.ErrNotFound where none did.
func (s Identity) SentForm(ctx context.Context, hash [32]byte) (*registration.Form, error) {
	var (
		f       registration.Form
		content []byte
	)
	err := s.db.Row(ctx, selectForm, hash[:]).Scan(&content, text(&f.Client), moment(&f.SentAt), moment(&f.ExpiresAt))
	if err != nil {
		return nil, store.Found(err)
	}
	if len(content) != len(f.Content) {
		return nil, fmt.Errorf("a stored form has a hash of %d bytes, not %d", len(content), len(f.Content))
	}
	f.Hash, f.Content = hash, [32]byte(content)
	return &f, nil
}
