package admin

import (
	"cmp"
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
	members, err := cmd.members(run)
	if err != nil {
		return err
	}
	views := []grantView{}
	for _, id := range members {
		grants, err := run.Operations.Store.Grants(run.Context, id)
		if err != nil {
			return err
		}
		for _, g := range grants {
			if (cmd.Client == "" || g.Client == cmd.Client) && (cmd.All || g.RevokedAt.IsZero()) {
				views = append(views, viewGrant(g))
			}
		}
	}
	return run.show(views, func(w io.Writer) error {
		if len(views) == 0 {
			_, err := fmt.Fprintln(w, "There are no grants.")
			return err
		}
		table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
		_, _ = fmt.Fprintln(table, "GRANT\tUSER\tCLIENT\tSTATE\tUNTIL\tSCOPES")
		for _, view := range views {
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", view.ID, view.Member, view.Client, view.state(), cmp.Or(view.EndsAt, "-"), view.Scopes)
		}
		return table.Flush()
	})
}

func (cmd *grantList) members(run *Run) ([]loop.MemberID, error) {
	if cmd.User != "" {
		id, err := run.member(cmd.User)
		return []loop.MemberID{id}, err
	}
	all, err := run.Operations.Store.Members(run.Context)
	ids := make([]loop.MemberID, len(all))
	for i, m := range all {
		ids[i] = m.ID
	}
	return ids, err
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
	ID        loop.GrantID  `json:"grant_id"`
	Member    loop.MemberID `json:"user_id"`
	Client    loop.ClientID `json:"client_id"`
	Scopes    string        `json:"scope"`
	Declined  string        `json:"declined_scope"`
	CreatedAt string        `json:"created_at"`
	UpdatedAt string        `json:"updated_at"`
	EndsAt    string        `json:"ends_at,omitempty"`
	RevokedAt string        `json:"revoked_at,omitempty"`
	Reason    string        `json:"reason,omitempty"`
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
