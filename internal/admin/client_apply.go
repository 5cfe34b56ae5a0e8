package admin

import (
	"errors"
	"fmt"
	"io"

	"github.com/loop-health/loop/internal/loop"
)

type clientApply struct {
	File  string `short:"f" required:"" help:"The file, in TOML: a table for each app, with the names that loop client show --json prints. -: the input." placeholder:"FILE"`
	Check bool   `help:"Change nothing, print what would be changed, and end with status 1 where that is anything."`
}

// Run makes the platform's clients as the file has them. Nothing is changed unless the
// whole file is right; a client that the file does not name is left alone.
func (cmd *clientApply) Run(run *Run) error {
	tables, err := readClients(cmd.File, run.Stdin)
	if err != nil {
		return err
	}
	plans, err := run.plan(tables)
	if err != nil {
		return err
	}
	report := applied{Check: cmd.Check, Clients: []appliedClient{}}
	var failed error
	for _, p := range plans {
		one, err := p.outcome(run, cmd.Check)
		if err != nil {
			failed = errors.Join(fmt.Errorf("[%s] was not applied, nor what comes after it; what is printed was. Apply the file again when this is mended", p.table.label), err)
			break
		}
		report.Clients = append(report.Clients, one)
	}
	// What was made is shown also where a later one failed: a secret is shown now or never.
	if err := run.show(report, report.write); err != nil || failed != nil {
		return errors.Join(failed, err)
	}
	if differ := report.differ(); cmd.Check && differ > 0 {
		return fmt.Errorf("%d of %d apps are not as %s has them", differ, len(plans), cmd.File)
	}
	return nil
}

// outcome carries a plan out, or with check says what would come of it.
func (p *plannedClient) outcome(run *Run, check bool) (appliedClient, error) {
	one := appliedClient{Table: p.table.label, ID: p.after.ID, Action: actionNone, Changes: clientChanges(p.before, p.after)}
	switch {
	case p.before == nil:
		one.Action = actionCreate
	case len(one.Changes) > 0:
		one.Action = actionUpdate
	}
	switch {
	case check || one.Action == actionNone:
		return one, nil
	case one.Action == actionCreate:
		return one, p.create(run, &one)
	}
	return one, p.update(run, &one)
}

func (p *plannedClient) create(run *Run, one *appliedClient) error {
	secret, err := run.Operations.Clients.Create(run.Context, p.after, Operator)
	if err != nil {
		return err
	}
	one.ID = p.after.ID
	if p.after.Protocol.AuthMethod.BySecret() {
		one.Secret = secret.Reveal()
	}
	return nil
}

// update changes the client as it is now, which may be newer than what was planned with.
func (p *plannedClient) update(run *Run, one *appliedClient) error {
	var before *loop.Client
	after, err := run.Operations.Clients.Update(run.Context, p.before.ID, Operator, func(c *loop.Client) {
		before = c.Clone()
		p.alter(c)
	})
	if err != nil {
		return err
	}
	one.Changes = clientChanges(before, after)
	return nil
}

// What is done, or would be, with a client.
const (
	actionNone   = "none"
	actionCreate = "create"
	actionUpdate = "update"
)

// applied is what came of a file, or would.
type applied struct {
	Check   bool            `json:"check"`
	Clients []appliedClient `json:"clients"`
}

// appliedClient is what came of one table.
type appliedClient struct {
	Table   string        `json:"table"`
	ID      loop.ClientID `json:"client_id,omitempty"` // empty: it would be made
	Action  string        `json:"action"`
	Changes []fieldChange `json:"changes"`
	Secret  string        `json:"client_secret,omitempty"`
}

func (a *applied) differ() int {
	count := 0
	for _, c := range a.Clients {
		if c.Action != actionNone {
			count++
		}
	}
	return count
}

// write shows a person what differs.
func (a *applied) write(w io.Writer) error {
	says := map[string]string{actionNone: "is as it should be", actionCreate: "is made", actionUpdate: "is changed"}
	if a.Check {
		says[actionCreate], says[actionUpdate] = "would be made", "would be changed"
	}
	for _, c := range a.Clients {
		name := c.Table
		if c.ID != "" {
			name += " (" + string(c.ID) + ")"
		}
		if _, err := fmt.Fprintf(w, "%s %s\n", name, says[c.Action]); err != nil {
			return err
		}
		for _, change := range c.Changes {
			_, _ = fmt.Fprintf(w, "  %s: %s -> %s\n", change.Field, written(change.Before), written(change.After))
		}
		if c.Secret != "" {
			_, _ = fmt.Fprintf(w, "  client secret: %s\n  Keep it now: it is not shown again.\n", c.Secret)
		}
	}
	return nil
}
