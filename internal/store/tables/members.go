package tables

import (
	"context"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/store"
)

// MemberColumns are the columns of a member, in the order of MemberFields.
const MemberColumns = `id, email, email_verified, name, locale, sex, test, suspended, notice, created_at, updated_at, devices_since, erase_at, erased_at, sealed, born`

// SelectMember reads a member by their id.
const SelectMember = `SELECT ` + MemberColumns + ` FROM members WHERE id = $1`

const (
	selectMembers = `SELECT ` + MemberColumns + ` FROM members ORDER BY id DESC`
	selectAccount = `SELECT ` + MemberColumns + `, password FROM members WHERE address = $1 OR email = $2`
	insertMember  = `INSERT INTO members (` + MemberColumns + `, address, password) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18
		WHERE NOT EXISTS (SELECT 1 FROM members WHERE email = $19) ON CONFLICT DO NOTHING`
	updateMember = `UPDATE members SET email = $1, name = $2, address = $3, sealed = $4, email_verified = $5, suspended = $6, notice = $7, updated_at = $8, devices_since = $9, erase_at = $10, locale = $11, sex = $12, born = $15, test = $16 WHERE id = $13
		AND NOT EXISTS (SELECT 1 FROM members AS other WHERE (other.address = $3 OR other.email = $14) AND other.id <> $13)`
	updatePassword = `UPDATE members SET password = $1 WHERE id = $2`
	updateNotice   = `UPDATE members SET notice = $1 WHERE id = $2`
)

// Member reads a member; loop.ErrNotFound where there is none.
func (s Identity) Member(ctx context.Context, id loop.MemberID) (*loop.Member, error) {
	return s.ReadMember(ctx, s.db.Row(ctx, SelectMember, id))
}

// Members lists every member, newest first.
func (s Identity) Members(ctx context.Context) ([]*loop.Member, error) {
	rows, err := list(ctx, s.db, scanMember, selectMembers)
	if err != nil {
		return nil, err
	}
	members := make([]*loop.Member, len(rows))
	for i, row := range rows {
		if members[i], err = s.OpenMember(ctx, row); err != nil {
			return nil, err
		}
	}
	return members, nil
}

// Account finds the member with the address, and the hash of their password;
// loop.ErrNotFound where there is none.
func (s Identity) Account(ctx context.Context, email loop.Email) (m *loop.Member, passwordHash string, err error) {
	address := s.keys.Address(email)
	m, err = s.ReadMember(ctx, WithColumn(s.db.Row(ctx, selectAccount, address[:], email), &passwordHash))
	return m, passwordHash, err
}

// AddMember inserts a new member with their record (member.Store).
func (s Identity) AddMember(ctx context.Context, m *loop.Member, passwordHash string, uses *member.LinkUse, rec audit.Record) error {
	sealed, err := s.seal(ctx, m)
	if err != nil {
		return err
	}
	return s.db.Do(ctx, func(tx Act) error {
		inClear, err := s.writesInClear(tx)
		if err != nil {
			return err
		}
		useLink(tx, uses)
		tx.One(member.ErrAddressTaken, insertMember, append(sealed.values(inClear), sealed.address[:], passwordHash, m.Email)...)
		return tx.Record(rec)
	})
}

// UpdateMember writes of a member what can change, and what else the change writes
// but for the sessions that end, the revocations and the records.
func (s Identity) UpdateMember(ctx context.Context, tx Act, m *loop.Member, change member.Change) error {
	sealed, err := s.seal(ctx, m)
	if err != nil {
		return err
	}
	inClear, err := s.writesInClear(tx)
	if err != nil {
		return err
	}
	email, name := sealed.shown(inClear)
	tx.One(member.ErrAddressTaken, updateMember, email, name, sealed.address[:], sealed.content,
		m.EmailVerified, m.Suspended, m.Notice, store.Micro(m.UpdatedAt), store.Micro(m.DevicesSince), store.Micro(m.ErasesAt), m.Locale, m.Sex, m.ID, m.Email, sealed.born, m.Test)
	useLink(tx, change.UsesLink)
	if change.PasswordHash != "" {
		tx.Exec(updatePassword, change.PasswordHash, m.ID)
	}
	for _, purpose := range change.EndsLinks {
		tx.Exec(deleteLinks, m.ID, string(purpose))
	}
	AddMessages(tx, change.Messages)
	return nil
}

// MemberRow is a member as they are kept: name and address sealed.
type MemberRow struct {
	loop.Member
	sealed []byte // nil: not yet
	born   []byte // the birth date, sealed; nil: it is not known
}

// ReadMember reads a member; loop.ErrNotFound where there is none.
func (s Identity) ReadMember(ctx context.Context, row Scanner) (*loop.Member, error) {
	m, err := scanMember(row)
	if err != nil {
		return nil, err
	}
	return s.OpenMember(ctx, m)
}

func scanMember(row Scanner) (*MemberRow, error) {
	var m MemberRow
	if err := row.Scan(MemberFields(&m)...); err != nil {
		return nil, store.Found(err)
	}
	return &m, nil
}

// MemberFields is where the MemberColumns of a row go.
func MemberFields(m *MemberRow) []any {
	return []any{
		text(&m.ID), text(&m.Email), truth(&m.EmailVerified), text(&m.Name), text(&m.Locale), text(&m.Sex), truth(&m.Test), truth(&m.Suspended),
		text(&m.Notice), moment(&m.CreatedAt), moment(&m.UpdatedAt), moment(&m.DevicesSince), moment(&m.ErasesAt), moment(&m.ErasedAt), &m.sealed, &m.born,
	}
}

// values are the MemberColumns of a member.
func (m *sealedMember) values(inClear bool) []any {
	email, name := m.shown(inClear)
	return []any{
		m.ID, email, m.EmailVerified, name, m.Locale, m.Sex, m.Test, m.Suspended, m.Notice, store.Micro(m.CreatedAt), store.Micro(m.UpdatedAt), store.Micro(m.DevicesSince),
		store.Micro(m.ErasesAt), store.Micro(m.ErasedAt), m.content, m.born,
	}
}
