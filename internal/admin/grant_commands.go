package admin

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/loop-health/loop/internal/loop"
)

type grantCommands struct {
	Target `embed:""`

	List   grantList   `cmd:"" help:"List what members allow which apps."`
	Revoke grantRevoke `cmd:"" help:"End a grant and everything that came from it, at once."`
}

type grantList struct {
	User   string        `help:"Only this member's: an id or e-mail address." placeholder:"USER"`
	Client loop.ClientID `help:"Only for this app." placeholder:"CLIENT"`
	All    bool          `help:"Those that were revoked, too."`
}

// Run lists grants.
func (cmd *grantList) Run(run *Run) error {
	var id loop.MemberID
	if cmd.User != "" {
		found, err := run.member(cmd.User)
		if err != nil {
			return err
		}
		id = found
	}
	views, err := run.grants(id, cmd.Client, cmd.All)
	if err != nil {
		return err
	}
	return run.show(views, func(w io.Writer) error { return writeGrants(w, views) })
}

// grants gives the grants of a member to an app, with the names of both; an empty id
// means all.
func (run *Run) grants(id loop.MemberID, client loop.ClientID, revokedToo bool) ([]grantView, error) {
	grants, err := run.Operations.Store.Grants(run.Context, id)
	if err != nil {
		return nil, err
	}
	names, apps := make(map[loop.MemberID]string), make(map[loop.ClientID]string)
	views := []grantView{}
	for _, g := range grants {
		if client != "" && g.Client != client || !revokedToo && !g.RevokedAt.IsZero() {
			continue
		}
		view := viewGrant(g)
		if view.MemberName, err = nameOf(names, g.Member, run.memberName); err != nil {
			return nil, err
		}
		if view.AppName, err = nameOf(apps, g.Client, run.appName); err != nil {
			return nil, err
		}
		if view.AppName == "" {
			view.AppName = g.AppName // deleted since: as the member was shown it
		}
		views = append(views, view)
	}
	return views, nil
}

// nameOf reads a name once.
func nameOf[ID comparable](known map[ID]string, id ID, read func(ID) (string, error)) (string, error) {
	if name, ok := known[id]; ok {
		return name, nil
	}
	name, err := read(id)
	known[id] = name
	return name, err
}

// memberName is a member's name; empty where they are not there any more.
func (run *Run) memberName(id loop.MemberID) (string, error) {
	m, err := run.Operations.Store.Member(run.Context, id)
	if errors.Is(err, loop.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return m.Name, nil
}

// appName is an app's name; empty where it is not there any more.
func (run *Run) appName(id loop.ClientID) (string, error) {
	c, err := run.Operations.Store.Client(run.Context, id)
	if errors.Is(err, loop.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return c.Name, nil
}

func writeGrants(w io.Writer, views []grantView) error {
	if len(views) == 0 {
		_, err := fmt.Fprintln(w, "There are no grants.")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	_, _ = fmt.Fprintln(table, "GRANT\tMEMBER\tUSER\tAPP\tCLIENT\tSTATE\tUNTIL\tSCOPES")
	for _, v := range views {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", v.ID, v.MemberName, v.Member, v.AppName, v.Client, v.state(), cmp.Or(v.EndsAt, "-"), v.Scopes)
	}
	return table.Flush()
}

type grantRevoke struct {
	ID loop.GrantID `arg:"" name:"grant" help:"The grant's id: grant_…"`
}

// Run revokes one grant.
func (cmd *grantRevoke) Run(run *Run) error {
	if !cmd.ID.Valid() {
		return fmt.Errorf("%q is not a grant's id: it reads grant_ and 26 letters and digits; loop grant list shows them all", cmd.ID)
	}
	if err := run.Operations.Grants.RevokeGrant(run.Context, cmd.ID, Operator); err != nil {
		return err
	}
	return run.show(map[string]any{"grant_id": cmd.ID, "revoked": true}, line("%s is revoked. What came from it has ended.", cmd.ID))
}

// grantView is a grant as an operator sees it.
type grantView struct {
	ID         loop.GrantID  `json:"grant_id"`
	Member     loop.MemberID `json:"user_id"`
	MemberName string        `json:"name"`
	Client     loop.ClientID `json:"client_id"`
	AppName    string        `json:"client_name"`
	Scopes     string        `json:"scope"`
	Declined   string        `json:"declined_scope"`
	CreatedAt  string        `json:"created_at"`
	UpdatedAt  string        `json:"updated_at"`
	EndsAt     string        `json:"ends_at,omitempty"`
	RevokedAt  string        `json:"revoked_at,omitempty"`
	Reason     string        `json:"reason,omitempty"`
}

func viewGrant(g *loop.Grant) grantView {
	return grantView{
		ID: g.ID, Member: g.Member, Client: g.Client, Scopes: g.Scopes.String(), Declined: g.Declined.String(),
		CreatedAt: moment(g.CreatedAt), UpdatedAt: moment(g.UpdatedAt), EndsAt: moment(g.EndsAt), RevokedAt: moment(g.RevokedAt), Reason: g.Reason,
	}
}

func (v *grantView) state() string {
	if v.RevokedAt == "" {
		return "live"
	}
	return "revoked"
}
