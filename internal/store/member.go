package store

import "github.com/loop-health/loop/internal/loop"

// MemberColumns are the columns of a member, in the order of MemberFields and MemberValues.
const MemberColumns = `id, email, email_verified, name, locale, sex, test, suspended, notice, created_at, updated_at`

// ScanMember reads a member; loop.ErrNotFound where there is none.
func ScanMember(row Scanner) (*loop.Member, error) {
	var m loop.Member
	if err := row.Scan(MemberFields(&m)...); err != nil {
		return nil, Found(err)
	}
	return &m, nil
}

// MemberFields is where the MemberColumns of a row go.
func MemberFields(m *loop.Member) []any {
	return []any{
		text(&m.ID), text(&m.Email), truth(&m.EmailVerified), text(&m.Name), text(&m.Locale), text(&m.Sex), truth(&m.Test), truth(&m.Suspended),
		text(&m.Notice), moment(&m.CreatedAt), moment(&m.UpdatedAt),
	}
}

// MemberValues is a member as their columns hold them.
func MemberValues(m *loop.Member) []any {
	return []any{
		m.ID, m.Email, m.EmailVerified, m.Name, m.Locale, m.Sex, m.Test, m.Suspended, m.Notice, Micro(m.CreatedAt), Micro(m.UpdatedAt),
	}
}

// ScanAccount reads a member with one more column, the hash of their password.
func ScanAccount(row Scanner, passwordHash *string) (*loop.Member, error) {
	return ScanMember(WithColumn(row, passwordHash))
}

// WithColumn is a row with one more column than its reader knows of, the last, which
// goes to dest.
func WithColumn(row Scanner, dest any) Scanner { return withColumn{row, dest} }

type withColumn struct {
	row  Scanner
	dest any
}

// Scan gives the last column to dest.
func (c withColumn) Scan(dest ...any) error { return c.row.Scan(append(dest, c.dest)...) }
