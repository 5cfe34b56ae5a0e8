package registration

import (
	"context"
	"errors"
	"slices"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
	"github.com/loop-health/loop/internal/outbox"
)

// AddWebhook has an app's events sent to an address from now on. All faults come back at
// once, joined.
func (r *Clients) AddWebhook(ctx context.Context, id loop.ClientID, by audit.Actor, url string, events []loop.EventType) (*loop.Webhook, error) {
	return r.addWebhook(ctx, id, act{by: by}, url, events)
}

func (r *Clients) addWebhook(ctx context.Context, id loop.ClientID, a act, url string, events []loop.EventType) (*loop.Webhook, error) {
	now := r.World.Now()
	added := loop.Webhook{ID: loop.NewWebhookID(r.World), URL: url, Events: events, Secret: 1, CreatedAt: now, UpdatedAt: now}
	_, err := r.change(ctx, id, a, audit.WebhookAdded, func(c *loop.Client) error {
		c.Webhooks = append(c.Webhooks, added)
		return r.validate(c)
	})
	return &added, err
}

// ChangeWebhook changes a webhook's address, events or whether it is disabled.
func (r *Clients) ChangeWebhook(ctx context.Context, id loop.ClientID, hook loop.WebhookID, by audit.Actor, alter func(*loop.Webhook)) (*loop.Webhook, error) {
	return r.changeWebhook(ctx, id, hook, act{by: by}, audit.WebhookChanged, alter)
}

// RotateWebhookSecret gives a webhook a new signing secret. The one before signs beside
// it for another 24 hours, any older one ends now.
func (r *Clients) RotateWebhookSecret(ctx context.Context, id loop.ClientID, hook loop.WebhookID, by audit.Actor) (*loop.Webhook, error) {
	return r.rotateWebhookSecret(ctx, id, hook, act{by: by})
}

func (r *Clients) rotateWebhookSecret(ctx context.Context, id loop.ClientID, hook loop.WebhookID, a act) (*loop.Webhook, error) {
	return r.changeWebhook(ctx, id, hook, a, audit.WebhookSecretMade, func(h *loop.Webhook) {
		h.Secret, h.RotatedAt = h.Secret+1, r.World.Now()
	})
}

// DeleteWebhook has nothing sent to a webhook any more. What waits for it is withdrawn.
func (r *Clients) DeleteWebhook(ctx context.Context, id loop.ClientID, hook loop.WebhookID, by audit.Actor) error {
	return r.deleteWebhook(ctx, id, hook, act{by: by})
}

func (r *Clients) deleteWebhook(ctx context.Context, id loop.ClientID, hook loop.WebhookID, a act) error {
	_, err := r.change(ctx, id, a, audit.WebhookDeleted, func(c *loop.Client) error {
		if c.Webhook(hook) == nil {
			return errNoWebhook
		}
		c.Webhooks = slices.DeleteFunc(c.Webhooks, func(h loop.Webhook) bool { return h.ID == hook })
		return nil
	})
	return err
}

// TestWebhook has a test event sent to a webhook, and gives its delivery.
func (r *Clients) TestWebhook(ctx context.Context, id loop.ClientID, hook loop.WebhookID, by audit.Actor) (loop.DeliveryID, error) {
	return r.testWebhook(ctx, id, hook, act{by: by})
}

func (r *Clients) testWebhook(ctx context.Context, id loop.ClientID, hook loop.WebhookID, a act) (loop.DeliveryID, error) {
	var delivery loop.DeliveryID
	a.messages = func(c *loop.Client) []outbox.Message {
		sent := r.Events.Test(c, c.Webhook(hook))
		delivery = loop.DeliveryID(sent.ID)
		return []outbox.Message{sent}
	}
	_, err := r.change(ctx, id, a, audit.WebhookTested, func(c *loop.Client) error {
		if c.Webhook(hook) == nil {
			return errNoWebhook
		}
		return nil
	})
	return delivery, err
}

// DisableWebhook has nothing sent to a webhook any more, and writes to the app's
// developer why (webhook.Disabler).
func (r *Clients) DisableWebhook(ctx context.Context, id loop.ClientID, hook loop.WebhookID, why string) error {
	a := act{by: audit.Actor{Kind: audit.BySystem}}
	a.messages = func(c *loop.Client) []outbox.Message {
		if c.Owner == "" {
			return nil // an operator's, who reads the record
		}
		return r.Office.Notice(c.Owner, mail.WebhookDisabled, c.Name, c.Webhook(hook).URL)
	}
	_, err := r.change(ctx, id, a, audit.WebhookDisabled, func(c *loop.Client) error {
		h := c.Webhook(hook)
		if h == nil || h.Disabled != "" {
			return errNothingToDo
		}
		h.Disabled, h.UpdatedAt = why, r.World.Now()
		return nil
	})
	if errors.Is(err, errNothingToDo) {
		return nil
	}
	return err
}

func (r *Clients) changeWebhook(ctx context.Context, id loop.ClientID, hook loop.WebhookID, a act, event audit.Event, alter func(*loop.Webhook)) (*loop.Webhook, error) {
	var changed loop.Webhook
	_, err := r.change(ctx, id, a, event, func(c *loop.Client) error {
		h := c.Webhook(hook)
		if h == nil {
			return errNoWebhook
		}
		alter(h)
		h.UpdatedAt, changed = r.World.Now(), *h
		return r.validate(c)
	})
	return &changed, err
}

// WebhookOwner finds the client that a webhook is of; NotFound where there is none.
func (r *Clients) WebhookOwner(ctx context.Context, hook loop.WebhookID) (*loop.Client, error) {
	all, err := r.Store.Clients(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if c.Webhook(hook) != nil {
			return c, nil
		}
	}
	return nil, errNoWebhook
}

var errNoWebhook = loop.Errorf(loop.NotFound, "There is no webhook with this id.")
