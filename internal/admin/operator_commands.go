package admin

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/operator"
)

type operatorCommands struct {
	Target `embed:""`

	Add    operatorAdd    `cmd:"" help:"Let a member into the console at /admin on identity's host."`
	List   operatorList   `cmd:"" help:"List who may."`
	Remove operatorRemove `cmd:"" help:"Take a member's role away, at once."`
}

type operatorAdd struct {
	userArgument `embed:""`

	Role operator.Role `default:"viewer" enum:"viewer,acting" help:"viewer sees members, apps and the record; acting also suspends, disables, and ends grants and sessions." placeholder:"viewer|acting"`
}

// Run gives one member a role.
func (cmd *operatorAdd) Run(run *Run) error {
	m, err := run.account(cmd.User)
	if err != nil {
		return err
	}
	if err := run.Operations.Team.Add(run.Context, m, cmd.Role, Operator); err != nil {
		return err
	}
	return run.show(operatorView{ID: m.ID, Name: m.Name, Role: cmd.Role}, line("%s is an operator: %s. The console is at /admin on identity's host.", m.Name, cmd.Role))
}

type operatorList struct{}

// Run lists operators.
func (cmd *operatorList) Run(run *Run) error {
	all, err := run.Operations.Team.List(run.Context)
	if err != nil {
		return err
	}
	views := make([]operatorView, len(all))
	for i, o := range all {
		name, err := run.memberName(o.Member)
		if err != nil {
			return err
		}
		views[i] = operatorView{ID: o.Member, Name: name, Role: o.Role, AddedAt: moment(o.AddedAt)}
	}
	return run.show(views, func(w io.Writer) error {
		if len(views) == 0 {
			_, err := fmt.Fprintln(w, "Nobody may use the console. Let somebody in with: loop operator add USER")
			return err
		}
		table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
		_, _ = fmt.Fprintln(table, "USER\tNAME\tROLE\tSINCE")
		for _, v := range views {
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", v.ID, v.Name, v.Role, v.AddedAt)
		}
		return table.Flush()
	})
}

type operatorRemove struct {
	userArgument `embed:""`
}

// Run takes one member's role away.
func (cmd *operatorRemove) Run(run *Run) error {
	id, err := run.member(cmd.User)
	if err != nil {
		return err
	}
	if err := run.Operations.Team.Remove(run.Context, id, Operator); err != nil {
		return err
	}
	return run.show(map[string]any{"user_id": id, "removed": true}, line("%s is no operator any more.", cmd.User))
}

// operatorView is an operator as others see them.
type operatorView struct {
	ID      loop.MemberID `json:"user_id"`
	Name    string        `json:"name"`
	Role    operator.Role `json:"role"`
	AddedAt string        `json:"added_at,omitempty"`
}
