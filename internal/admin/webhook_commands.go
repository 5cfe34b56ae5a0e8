package admin

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/webhook"
)

type webhookCommands struct {
	Target `embed:""`

	Create       webhookCreate     `cmd:"" help:"Have an app's events sent to a URL. The signing secret is shown once."`
	List         webhookList       `cmd:"" help:"List webhooks, of one app or of all."`
	Show         webhookShow       `cmd:"" help:"Show a webhook."`
	Update       webhookUpdate     `cmd:"" help:"Change a webhook's URL or events, or enable it again."`
	Disable      webhookDisable    `cmd:"" help:"Have nothing sent to a webhook until it is enabled again."`
	RotateSecret webhookRotate     `cmd:"" help:"Give a webhook a new signing secret, shown once. The one before signs beside it for 24 hours more."`
	Delete       webhookDelete     `cmd:"" help:"Delete a webhook. What waits for it is withdrawn."`
	Test         webhookTest       `cmd:"" help:"Send a test event to a webhook."`
	Deliveries   webhookDeliveries `cmd:"" help:"List what was sent to a webhook, newest first."`
	Replay       webhookReplay     `cmd:"" help:"Send something again: one delivery, or all of a status and time."`
}

// webhookArgument is the webhook that a command is about.
type webhookArgument struct {
	ID loop.WebhookID `arg:"" name:"webhook" help:"The webhook's id: whk_…"`
}

// find gives the app that the webhook is of, and the webhook.
func (arg webhookArgument) find(run *Run) (*loop.Client, *loop.Webhook, error) {
	if !arg.ID.Valid() {
		return nil, nil, fmt.Errorf("%q is not a webhook's id: it reads whk_ and 26 letters and digits; loop webhook list shows them all", arg.ID)
	}
	c, err := run.Operations.Clients.WebhookOwner(run.Context, arg.ID)
	if err != nil {
		return nil, nil, err
	}
	return c, c.Webhook(arg.ID), nil
}

type webhookCreate struct {
	Client loop.ClientID    `required:"" help:"The app's id: client_…" placeholder:"CLIENT"`
	URL    string           `name:"url" required:"" help:"Where events are sent: https, on port 443 or 8443." placeholder:"URL"`
	Events []loop.EventType `required:"" help:"The types of events, with commas between." placeholder:"TYPES"`
}

// Run makes a webhook.
func (cmd *webhookCreate) Run(run *Run) error {
	h, err := run.Operations.Clients.AddWebhook(run.Context, cmd.Client, Operator, cmd.URL, cmd.Events)
	if err != nil {
		return err
	}
	return run.showWebhook(cmd.Client, h, true)
}

type webhookList struct {
	Client loop.ClientID `help:"Only this app's." placeholder:"CLIENT"`
}

// Run lists webhooks.
func (cmd *webhookList) Run(run *Run) error {
	clients, err := run.Operations.Store.Clients(run.Context)
	if err != nil {
		return err
	}
	views := []webhook.View{}
	for _, c := range clients {
		for i := range c.Webhooks {
			if cmd.Client == "" || cmd.Client == c.ID {
				views = append(views, webhook.ViewOf(c.ID, &c.Webhooks[i], run.Operations.Now()))
			}
		}
	}
	return run.show(views, func(w io.Writer) error {
		if len(views) == 0 {
			_, err := fmt.Fprintln(w, "There are no webhooks. Make one with: loop webhook create --client CLIENT --url URL --events TYPES")
			return err
		}
		table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
		_, _ = fmt.Fprintln(table, "WEBHOOK\tCLIENT\tENABLED\tURL\tEVENTS")
		for _, v := range views {
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", v.ID, v.Client, yes(v.Enabled), v.URL, joined(v.Events))
		}
		return table.Flush()
	})
}

type webhookShow struct {
	webhookArgument `embed:""`
}

// Run shows one webhook.
func (cmd *webhookShow) Run(run *Run) error {
	c, h, err := cmd.find(run)
	if err != nil {
		return err
	}
	return run.showWebhook(c.ID, h, false)
}

type webhookUpdate struct {
	webhookArgument `embed:""`
	URL             *string          `name:"url" help:"Another address." placeholder:"URL"`
	Events          []loop.EventType `help:"Other types of events, with commas between." placeholder:"TYPES"`
	Enable          bool             `help:"Have events sent to it again. Those that it missed can be replayed."`
}

// Run changes one webhook.
func (cmd *webhookUpdate) Run(run *Run) error {
	c, _, err := cmd.find(run)
	if err != nil {
		return err
	}
	h, err := run.Operations.Clients.ChangeWebhook(run.Context, c.ID, cmd.ID, Operator, func(h *loop.Webhook) {
		if cmd.URL != nil {
			h.URL = *cmd.URL
		}
		if cmd.Events != nil {
			h.Events = cmd.Events
		}
		if cmd.Enable {
			h.SetEnabled(true, "")
		}
	})
	if err != nil {
		return err
	}
	return run.showWebhook(c.ID, h, false)
}

type webhookDisable struct {
	webhookArgument `embed:""`
}

// Run disables one webhook.
func (cmd *webhookDisable) Run(run *Run) error {
	c, _, err := cmd.find(run)
	if err != nil {
		return err
	}
	h, err := run.Operations.Clients.ChangeWebhook(run.Context, c.ID, cmd.ID, Operator, func(h *loop.Webhook) { h.SetEnabled(false, "Disabled by an operator.") })
	if err != nil {
		return err
	}
	return run.showWebhook(c.ID, h, false)
}

type webhookRotate struct {
	webhookArgument `embed:""`
}

// Run gives one webhook a new secret.
func (cmd *webhookRotate) Run(run *Run) error {
	c, _, err := cmd.find(run)
	if err != nil {
		return err
	}
	h, err := run.Operations.Clients.RotateWebhookSecret(run.Context, c.ID, cmd.ID, Operator)
	if err != nil {
		return err
	}
	return run.showWebhook(c.ID, h, true)
}

type webhookDelete struct {
	webhookArgument `embed:""`
}

// Run deletes one webhook.
func (cmd *webhookDelete) Run(run *Run) error {
	c, _, err := cmd.find(run)
	if err != nil {
		return err
	}
	if err := run.Operations.Clients.DeleteWebhook(run.Context, c.ID, cmd.ID, Operator); err != nil {
		return err
	}
	return run.show(map[string]any{"id": cmd.ID, "deleted": true}, line("%s is deleted. What waited for it is withdrawn.", cmd.ID))
}

type webhookTest struct {
	webhookArgument `embed:""`
}

// Run sends one webhook a test event.
func (cmd *webhookTest) Run(run *Run) error {
	c, _, err := cmd.find(run)
	if err != nil {
		return err
	}
	delivery, err := run.Operations.Clients.TestWebhook(run.Context, c.ID, cmd.ID, Operator)
	if err != nil {
		return err
	}
	return run.show(map[string]any{"delivery_id": delivery, "client_id": c.ID, "status": webhook.Pending},
		line("%s is on its way. Look what became of it with: loop webhook deliveries %s", delivery, cmd.ID))
}

// showWebhook answers with a webhook, and with its newest secret where that is new.
func (run *Run) showWebhook(client loop.ClientID, h *loop.Webhook, secret bool) error {
	view := webhook.ViewOf(client, h, run.Operations.Now())
	if secret {
		view = view.WithSecret(run.Operations.WebhookSecret(h.ID, h.Secret))
	}
	return run.show(view, func(w io.Writer) error { return writeWebhook(w, view) })
}

// writeWebhook shows a webhook to a person, the secret last, where the eye ends.
func writeWebhook(w io.Writer, v webhook.View) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, row := range [][2]string{
		{"webhook", string(v.ID)},
		{"client id", string(v.Client)},
		{"URL", v.URL},
		{"events", strings.ReplaceAll(joined(v.Events), ",", "\n\t")},
		{"enabled", yes(v.Enabled)},
		{"why not", v.Disabled},
		{"created", moment(v.CreatedAt)},
		{"updated", moment(v.UpdatedAt)},
		{"signing secret", v.Secret},
	} {
		if row[1] != "" {
			_, _ = fmt.Fprintf(table, "%s\t%s\n", row[0], row[1])
		}
	}
	if err := table.Flush(); err != nil || v.Secret == "" {
		return err
	}
	_, err := fmt.Fprintln(w, "\nKeep the secret now: it is not shown again.")
	return err
}

func joined(events []loop.EventType) string {
	names := make([]string, len(events))
	for i, t := range events {
		names[i] = string(t)
	}
	return strings.Join(names, ",")
}
