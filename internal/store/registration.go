package store

import (
	"fmt"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/registration"
)

// FormColumns are the columns of a form that was sent, in the order of ScanForm and FormValues.
const FormColumns = `hash, content, client_id, sent_at, expires_at`

// FormValues is a form as its columns hold it.
func FormValues(f *registration.Form) []any {
	return []any{f.Hash[:], f.Content[:], f.Client, Micro(f.SentAt), Micro(f.ExpiresAt)}
}

// ScanForm reads a form that was sent; loop.ErrNotFound where there is none.
func ScanForm(row Scanner) (*registration.Form, error) {
	var (
		f             registration.Form
		hash, content []byte
		sent, expires int64
	)
	if err := row.Scan(&hash, &content, &f.Client, &sent, &expires); err != nil {
		return nil, Found(err)
	}
	if len(hash) != 32 || len(content) != 32 {
		return nil, fmt.Errorf("a stored form has hashes of %d and %d bytes, not 32", len(hash), len(content))
	}
	f.Hash, f.Content = [32]byte(hash), [32]byte(content)
	f.SentAt, f.ExpiresAt = FromMicro(sent), FromMicro(expires)
	return &f, nil
}

// RecordsOfApp is the condition of what the index audit_records_of_apps holds.
const RecordsOfApp = `substr(event, 1, 7) = 'client.'`

// ScanRecord reads a record without its place in the chain.
func ScanRecord(row Scanner) (audit.Record, error) {
	r, err := ScanAudit(row)
	if err != nil {
		return audit.Record{}, err
	}
	return r.Record()
}
