package tables

import (
	"context"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/store"
)

// MemberColumns are the columns of a member, in the order of MemberFields.
const MemberColumns = `id, email, email_verified, name, locale, sex, test, suspended, notice, created_at, updated_at, devices_since`

// SelectMember reads a member by their id.
const SelectMember = `SELECT ` + MemberColumns + ` FROM members WHERE id = $1`

const (
	selectMembers = `SELECT ` + MemberColumns + ` FROM members ORDER BY id DESC`
	selectAccount = `SELECT ` + MemberColumns + `, password FROM members WHERE email = $1`
	insertMember  = `INSERT INTO members (` + MemberColumns + `, password) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (email) DO NOTHING`
	updateMember  = `UPDATE members SET email = $1, email_verified = $2, suspended = $3, notice = $4, updated_at = $5, devices_since = $6, locale = $7 WHERE id = $8
		AND NOT EXISTS (SELECT 1 FROM members AS other WHERE other.email = $1 AND other.id <> $8)`
	updatePassword = `UPDATE members SET password = $1 WHERE id = $2`
	updateNotice   = `UPDATE members SET notice = $1 WHERE id = $2`
)

// Member reads a member; loop.ErrNotFound where there is none.
func (s Identity) Member(ctx context.Context, id loop.MemberID) (*loop.Member, error) {
	return ScanMember(s.db.Row(ctx, SelectMember, id))
}

// Members lists every member, newest first.
func (s Identity) Members(ctx context.Context) ([]*loop.Member, error) {
	return list(ctx, s.db, ScanMember, selectMembers)
}

// Account finds the member with the address, and the hash of their password;
// loop.ErrNotFound where there is none.
func (s Identity) Account(ctx context.Context, email loop.Email) (m *loop.Member, passwordHash string, err error) {
	m, err = ScanMember(WithColumn(s.db.Row(ctx, selectAccount, email), &passwordHash))
	return m, passwordHash, err
}

// AddMember inserts a new member with their record (member.Store).
func (s Identity) AddMember(ctx context.Context, m *loop.Member, passwordHash string, uses *member.LinkUse, rec audit.Record) error {
	return s.db.Do(ctx, func(tx Act) error {
		useLink(tx, uses)
		tx.One(member.ErrAddressTaken, insertMember, append(memberValues(m), passwordHash)...)
		return tx.Record(rec)
	})
}

// UpdateMember writes of a member what can change, and what else the change writes
// but for the sessions that end, the revocations and the records.
func UpdateMember(tx Tx, m *loop.Member, change member.Change) {
	tx.One(member.ErrAddressTaken, updateMember,
		m.Email, m.EmailVerified, m.Suspended, m.Notice, store.Micro(m.UpdatedAt), store.Micro(m.DevicesSince), m.Locale, m.ID)
	useLink(tx, change.UsesLink)
	if change.PasswordHash != "" {
		tx.Exec(updatePassword, change.PasswordHash, m.ID)
	}
	for _, purpose := range change.EndsLinks {
		tx.Exec(deleteLinks, m.ID, string(purpose))
	}
	AddMessages(tx, change.Messages)
}

// ScanMember reads a member; loop.ErrNotFound where there is none.
func ScanMember(row Scanner) (*loop.Member, error) {
	var m loop.Member
	if err := row.Scan(MemberFields(&m)...); err != nil {
		return nil, store.Found(err)
	}
	return &m, nil
}

// MemberFields is where the MemberColumns of a row go.
func MemberFields(m *loop.Member) []any {
	return []any{
		text(&m.ID), text(&m.Email), truth(&m.EmailVerified), text(&m.Name), text(&m.Locale), text(&m.Sex), truth(&m.Test), truth(&m.Suspended),
		text(&m.Notice), moment(&m.CreatedAt), moment(&m.UpdatedAt), moment(&m.DevicesSince),
	}
}

func memberValues(m *loop.Member) []any {
	return []any{
		m.ID, m.Email, m.EmailVerified, m.Name, m.Locale, m.Sex, m.Test, m.Suspended, m.Notice, store.Micro(m.CreatedAt), store.Micro(m.UpdatedAt), store.Micro(m.DevicesSince),
	}
}
