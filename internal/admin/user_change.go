package admin

import (
	"errors"
	"fmt"
	"io"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
)

type userUpdate struct {
	userArgument `embed:""`

	Name          *string   `help:"Their name." placeholder:"NAME"`
	Email         *string   `help:"Their e-mail address. Both it and the one before are written to; it is not verified, unless you say so too." placeholder:"ADDRESS"`
	EmailVerified *bool     `negatable:"" help:"Somebody has checked that the address is theirs, or nobody has: apps are told so."`
	Sex           *loop.Sex `help:"female, male, or empty: reference ranges go by it." placeholder:"SEX"`
	BirthDate     *string   `help:"When they were born, such as 1980-02-29, or empty: some reference ranges go by age." placeholder:"DATE"`
}

// Run changes one member.
func (cmd *userUpdate) Run(run *Run) error {
	id, err := run.member(cmd.User)
	if err != nil {
		return err
	}
	correction := member.Correction{Name: cmd.Name, Email: cmd.Email, EmailVerified: cmd.EmailVerified, Sex: cmd.Sex, BirthDate: cmd.BirthDate}
	if correction == (member.Correction{}) {
		return errors.New("there is nothing to change: say what, with --name, --email, --email-verified, --no-email-verified, --sex or --birth-date")
	}
	m, err := run.Operations.Users.Correct(run.Context, id, correction, Operator)
	if err != nil {
		return err
	}
	view := viewMember(m)
	return run.show(view, view.write)
}

type userResetPassword struct {
	userArgument `embed:""`
}

// Run makes a link, shown this once.
func (cmd *userResetPassword) Run(run *Run) error {
	id, err := run.member(cmd.User)
	if err != nil {
		return err
	}
	address, until, err := run.Operations.Users.ResetLink(run.Context, id, Operator)
	if err != nil {
		return err
	}
	view := map[string]any{"user_id": id, "link": address, "expires_at": moment(until)}
	return run.show(view, line("%s\n\nGive it to the member by a way that is theirs alone: whoever has it sets the password of %s, once, until %s.", address, cmd.User, moment(until)))
}

type userDelete struct {
	userArgument `embed:""`
}

// Run begins one member's departure.
func (cmd *userDelete) Run(run *Run) error {
	id, err := run.member(cmd.User)
	if err != nil {
		return err
	}
	at, err := run.Operations.Users.Remove(run.Context, id, Operator)
	if err != nil {
		return err
	}
	return run.show(map[string]any{"user_id": id, "erases_at": moment(at)}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s is signed out, and is erased on %s with all that is kept of them. Until then they stay if they sign in; to keep them from that, suspend them.\n", cmd.User, moment(at))
		return err
	})
}
