package admin

import (
	"cmp"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/signin"
)

type sessionCommands struct {
	Target `embed:""`

	List sessionList `cmd:"" help:"List where members are signed in."`
	End  sessionEnd  `cmd:"" help:"Sign a member out: everywhere, or of one session. Apps that ask for it learn of it."`
}

type sessionList struct {
	User string `help:"Only this member's: an id or e-mail address." placeholder:"USER"`
}

// Run lists sessions.
func (cmd *sessionList) Run(run *Run) error {
	members, err := run.membersOr(cmd.User)
	if err != nil {
		return err
	}
	views := []sessionView{}
	for _, m := range members {
		of, err := run.sessions(m)
		if err != nil {
			return err
		}
		views = append(views, of...)
	}
	return run.show(views, func(w io.Writer) error { return writeSessions(w, views) })
}

// membersOr gives the member who is meant, or where nobody is named all.
func (run *Run) membersOr(user string) ([]*loop.Member, error) {
	if user == "" {
		return run.Operations.Store.Members(run.Context)
	}
	m, err := run.account(user)
	return []*loop.Member{m}, err
}

type sessionEnd struct {
	userArgument `embed:""`

	Session loop.SessionID `arg:"" optional:"" help:"Only this session: session_…, as loop session list shows it."`
}

// Run ends a member's sessions.
func (cmd *sessionEnd) Run(run *Run) error {
	m, err := run.account(cmd.User)
	if err != nil {
		return err
	}
	before, err := run.sessions(m)
	if err != nil {
		return err
	}
	ended := []sessionView{}
	for _, s := range before {
		if cmd.Session == "" || s.ID == cmd.Session {
			ended = append(ended, s)
		}
	}
	if cmd.Session != "" && len(ended) == 0 {
		return fmt.Errorf("%s has no session %s: loop session list --user %s shows them", cmd.User, cmd.Session, cmd.User)
	}
	if err := run.Operations.Sessions.EndFor(run.Context, m.ID, cmd.Session, Operator); err != nil {
		return err
	}
	return run.show(map[string]any{"user_id": m.ID, "ended": ended}, line("%s is signed out: %d ended. What apps were given goes on: loop grant revoke ends that.", cmd.User, len(ended)))
}

// sessionView is a session as an operator sees it.
type sessionView struct {
	ID        loop.SessionID `json:"session_id"`
	Member    loop.MemberID  `json:"user_id"`
	Name      string         `json:"name"`
	SignedIn  string         `json:"signed_in_at"`
	SeenAt    string         `json:"seen_at"`
	ExpiresAt string         `json:"expires_at"`
	Methods   string         `json:"methods"`
	Device    string         `json:"device"`
}

// sessions gives a member's live sessions.
func (run *Run) sessions(m *loop.Member) ([]sessionView, error) {
	live, err := run.Operations.Sessions.Sessions(run.Context, m)
	views := make([]sessionView, len(live))
	for i := range live {
		views[i] = viewSession(m, &live[i])
	}
	return views, err
}

func viewSession(m *loop.Member, s *signin.Session) sessionView {
	return sessionView{
		ID: s.ID, Member: m.ID, Name: m.Name, SignedIn: moment(s.Authentication.At), SeenAt: moment(s.SeenAt), ExpiresAt: moment(s.ExpiresAt),
		Methods: s.Authentication.Methods.String(), Device: s.Device.String(),
	}
}

func writeSessions(w io.Writer, views []sessionView) error {
	if len(views) == 0 {
		_, err := fmt.Fprintln(w, "Nobody is signed in.")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	_, _ = fmt.Fprintln(table, "SESSION\tUSER\tNAME\tSIGNED IN\tLAST SEEN\tBY\tDEVICE")
	for _, v := range views {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", v.ID, v.Member, v.Name, v.SignedIn, v.SeenAt, v.Methods, cmp.Or(v.Device, "-"))
	}
	return table.Flush()
}
