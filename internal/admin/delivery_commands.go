package admin

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/webhook"
)

// Deliveries is how one sees what was sent to webhooks, and has it sent again.
type Deliveries interface {
	// List gives deliveries to a webhook of a client, newest first.
	List(ctx context.Context, client *loop.Client, id loop.WebhookID, query webhook.Query) ([]webhook.Delivery, error)
	// Replay has a delivery of a client attempted at once; NotFound where there is none,
	// Conflict where it is being attempted.
	Replay(ctx context.Context, client *loop.Client, id loop.DeliveryID, by audit.Actor) (webhook.Delivery, error)
	// ReplayAll replays the deliveries that a query describes, up to 1,000.
	ReplayAll(ctx context.Context, client *loop.Client, id loop.WebhookID, query webhook.Query, by audit.Actor) ([]webhook.Delivery, error)
}

type webhookDeliveries struct {
	webhookArgument `embed:""`
	Status          webhook.Status `help:"Only those that are pending, delivered, dead or withdrawn." enum:",pending,delivered,dead,withdrawn" default:"" placeholder:"STATUS"`
	Limit           int            `help:"At most so many." default:"50"`
}

// Run lists deliveries.
func (cmd *webhookDeliveries) Run(run *Run) error {
	c, _, err := cmd.find(run)
	if err != nil {
		return err
	}
	found, err := run.Operations.Deliveries.List(run.Context, c, cmd.ID, webhook.Query{Status: cmd.Status, AtMost: cmd.Limit})
	if err != nil {
		return err
	}
	return run.showDeliveries(found)
}

type webhookReplay struct {
	webhookArgument `embed:""`
	Delivery        loop.DeliveryID `help:"This one alone, whatever became of it." placeholder:"DELIVERY"`
	Status          webhook.Status  `help:"All that are dead, delivered or withdrawn." enum:"dead,delivered,withdrawn" default:"dead" placeholder:"STATUS"`
	Since           time.Time       `help:"Of these, events that occurred then or later (RFC 3339)." placeholder:"TIME"`
	Until           time.Time       `help:"Of these, events that occurred before (RFC 3339)." placeholder:"TIME"`
}

// Run has deliveries attempted again.
func (cmd *webhookReplay) Run(run *Run) error {
	c, _, err := cmd.find(run)
	if err != nil {
		return err
	}
	if cmd.Delivery == "" {
		replayed, err := run.Operations.Deliveries.ReplayAll(run.Context, c, cmd.ID, webhook.Query{Status: cmd.Status, Since: cmd.Since, Until: cmd.Until}, Operator)
		if err != nil {
			return err
		}
		return run.showDeliveries(replayed)
	}
	replayed, err := run.Operations.Deliveries.Replay(run.Context, c, cmd.Delivery, Operator)
	if err != nil {
		return err
	}
	return run.showDeliveries([]webhook.Delivery{replayed})
}

func (run *Run) showDeliveries(found []webhook.Delivery) error {
	views := make([]webhook.DeliveryView, len(found))
	for i, d := range found {
		views[i] = d.View()
	}
	return run.show(views, func(w io.Writer) error {
		if len(views) == 0 {
			_, err := fmt.Fprintln(w, "There are no such deliveries.")
			return err
		}
		table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
		_, _ = fmt.Fprintln(table, "DELIVERY\tEVENT\tOCCURRED\tSTATUS\tATTEMPTS\tLAST FAILURE")
		for _, v := range views {
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\n", v.ID, v.Type, moment(v.At), v.Status, v.Attempts, cmp.Or(v.Failure, "-"))
		}
		return table.Flush()
	})
}
