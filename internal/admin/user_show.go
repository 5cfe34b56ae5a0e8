package admin

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/loop-health/loop/internal/loop"
)

type userShow struct {
	userArgument `embed:""`
}

// Run shows one member with their grants and sessions.
func (cmd *userShow) Run(run *Run) error {
	m, err := run.account(cmd.User)
	if err != nil {
		return err
	}
	grants, err := run.grants(m.ID, "", false)
	if err != nil {
		return err
	}
	sessions, err := run.sessions(m)
	if err != nil {
		return err
	}
	view := struct {
		memberView
		Grants   []grantView   `json:"grants"`
		Sessions []sessionView `json:"sessions"`
	}{viewMember(m), grants, sessions}
	return run.show(view, func(w io.Writer) error {
		if err := view.write(w); err != nil {
			return err
		}
		_, _ = fmt.Fprintln(w) // what follows returns the error
		if err := writeGrants(w, grants); err != nil {
			return err
		}
		_, _ = fmt.Fprintln(w)
		return writeSessions(w, sessions)
	})
}

// write shows a member to a person.
func (v *memberView) write(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, row := range [][2]string{
		{"user id", string(v.ID)},
		{"name", v.Name},
		{"e-mail", string(v.Email)},
		{"e-mail verified", yes(v.EmailVerified)},
		{"kind", v.kind()},
		{"state", v.state()},
		{"language", v.Locale},
		{"sex", string(v.Sex)},
		{"birth date", v.BirthDate},
		{"since", v.CreatedAt},
	} {
		if row[1] != "" {
			_, _ = fmt.Fprintf(table, "%s\t%s\n", row[0], row[1])
		}
	}
	return table.Flush()
}

// memberView is a member as an operator sees them.
type memberView struct {
	ID            loop.MemberID `json:"user_id"`
	Name          string        `json:"name"`
	Email         loop.Email    `json:"email"`
	EmailVerified bool          `json:"email_verified"`
	Locale        string        `json:"locale"`
	Sex           loop.Sex      `json:"sex"`
	BirthDate     string        `json:"birth_date,omitempty"`
	Test          bool          `json:"test"`
	Suspended     bool          `json:"suspended"`
	CreatedAt     string        `json:"created_at"`
	ErasesAt      string        `json:"erases_at,omitempty"`
	ErasedAt      string        `json:"erased_at,omitempty"`
	Password      string        `json:"password,omitempty"` // only as it is made
}

func viewMember(m *loop.Member) memberView {
	return memberView{
		ID: m.ID, Name: m.Name, Email: m.Email, EmailVerified: m.EmailVerified, Locale: m.Locale, Sex: m.Sex, BirthDate: m.BirthDate(),
		Test: m.Test, Suspended: m.Suspended, CreatedAt: moment(m.CreatedAt), ErasesAt: moment(m.ErasesAt), ErasedAt: moment(m.ErasedAt),
	}
}

func (v *memberView) kind() string {
	if v.Test {
		return "test"
	}
	return "member"
}

func (v *memberView) state() string {
	switch {
	case v.ErasedAt != "":
		return "erased"
	case v.ErasesAt != "":
		return "leaves on " + v.ErasesAt
	case v.Suspended:
		return "suspended"
	}
	return "active"
}
