package admin

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
)

type userCommands struct {
	Target `embed:""`

	Create        userCreate        `cmd:"" help:"Make an account."`
	List          userList          `cmd:"" help:"List all accounts."`
	Show          userShow          `cmd:"" help:"Show an account, with what the member allows which apps and where they are signed in."`
	Update        userUpdate        `cmd:"" help:"Change what the flags name of an account."`
	ResetPassword userResetPassword `cmd:"" help:"Make a link that sets a new password, once, and give it to the member yourself."`
	Suspend       userSuspend       `cmd:"" help:"Keep a member out. Their sessions and all apps' tokens end at once, and apps of their own stop."`
	Resume        userResume        `cmd:"" help:"Let a suspended member in again."`
	Delete        userDelete        `cmd:"" help:"Sign a member out and erase them after seven days, unless they sign in before."`
}

type userCreate struct {
	Name          string `required:"" help:"Their name." placeholder:"NAME"`
	Email         string `required:"" help:"Their e-mail address." placeholder:"ADDRESS"`
	Test          bool   `help:"A test member: synthetic data, which apps in development may see."`
	EmailVerified bool   `help:"You have checked that the address is theirs: apps are told so."`
	PasswordStdin bool   `help:"Read the password from the standard input. Without it one is made and shown once."`
	Sex           string `help:"female or male: reference ranges go by it." placeholder:"SEX"`
	BirthDate     string `help:"When they were born, such as 1980-02-29: some reference ranges go by age." placeholder:"DATE"`
	Locale        string `help:"Their language, such as en." placeholder:"TAG"`
}

// maxPasswordInput bounds what is read as a password.
const maxPasswordInput = 4 << 10

// Run makes the account.
func (cmd *userCreate) Run(run *Run) error {
	password, shown := run.Operations.NewPassword(), true
	if cmd.PasswordStdin {
		text, err := io.ReadAll(io.LimitReader(run.Stdin, maxPasswordInput))
		if err != nil {
			return fmt.Errorf("reading the password: %w", err)
		}
		password, shown = strings.TrimRight(string(text), "\r\n"), false
	}
	m, err := run.Operations.Users.Create(run.Context, member.Account{
		Name: cmd.Name, Email: cmd.Email, Password: password, Locale: cmd.Locale, Sex: loop.Sex(cmd.Sex), BirthDate: cmd.BirthDate, Test: cmd.Test, EmailVerified: cmd.EmailVerified,
	})
	if err != nil {
		return err
	}
	view := viewMember(m)
	if shown {
		view.Password = password
	}
	return run.show(view, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s has an account: %s\n", view.Name, view.ID)
		if shown {
			_, err = fmt.Fprintf(w, "The password, shown this once: %s\n", password)
		}
		return err
	})
}

type userList struct{}

// Run lists every account.
func (cmd *userList) Run(run *Run) error {
	members, err := run.Operations.Store.Members(run.Context)
	if err != nil {
		return err
	}
	views := make([]memberView, len(members))
	for i, m := range members {
		views[i] = viewMember(m)
	}
	return run.show(views, func(w io.Writer) error {
		if len(views) == 0 {
			_, err := fmt.Fprintln(w, "There are no accounts. Make one with: loop user create --name NAME --email ADDRESS")
			return err
		}
		table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
		_, _ = fmt.Fprintln(table, "USER\tNAME\tE-MAIL\tKIND\tSTATE\tSINCE")
		for _, view := range views {
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", view.ID, view.Name, view.Email, view.kind(), view.state(), view.CreatedAt)
		}
		return table.Flush()
	})
}

// userArgument is the member that a command is about.
type userArgument struct {
	User string `arg:"" help:"Their id (user_…) or e-mail address."`
}

type userSuspend struct {
	userArgument `embed:""`
}

// Run suspends one member.
func (cmd *userSuspend) Run(run *Run) error {
	id, err := run.member(cmd.User)
	if err != nil {
		return err
	}
	if err := run.Operations.Users.Suspend(run.Context, id, Operator); err != nil {
		return err
	}
	return run.show(map[string]any{"user_id": id, "suspended": true}, line("%s is suspended. Sessions and tokens have ended, and apps of theirs have stopped.", cmd.User))
}

type userResume struct {
	userArgument `embed:""`
}

// Run lets one member in again.
func (cmd *userResume) Run(run *Run) error {
	id, err := run.member(cmd.User)
	if err != nil {
		return err
	}
	if err := run.Operations.Users.Reinstate(run.Context, id, Operator); err != nil {
		return err
	}
	return run.show(map[string]any{"user_id": id, "suspended": false}, line("%s can sign in again, and apps of theirs work again. Apps need new tokens.", cmd.User))
}

// read reads a member.
func (run *Run) read(id loop.MemberID) (*loop.Member, error) {
	m, err := run.Operations.Store.Member(run.Context, id)
	if errors.Is(err, loop.ErrNotFound) {
		return nil, fmt.Errorf("there is no member %s: loop user list shows all", id)
	}
	return m, err
}

// account reads who is meant, by id or address.
func (run *Run) account(text string) (*loop.Member, error) {
	id, err := run.member(text)
	if err != nil {
		return nil, err
	}
	return run.read(id)
}

// member finds who is meant, by id or address.
func (run *Run) member(text string) (loop.MemberID, error) {
	if id := loop.MemberID(text); id.Valid() {
		return id, nil
	}
	email, err := loop.ParseEmail(text)
	if err != nil {
		return "", fmt.Errorf("%q is neither a user's id nor an e-mail address: loop user list shows both", text)
	}
	m, _, err := run.Operations.Store.Account(run.Context, email)
	if errors.Is(err, loop.ErrNotFound) {
		return "", fmt.Errorf("nobody has an account with the address %s: loop user list shows all", email)
	}
	if err != nil {
		return "", err
	}
	return m.ID, nil
}
