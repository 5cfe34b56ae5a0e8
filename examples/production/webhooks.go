package main

import (
	"context"
	"net/http"

	"github.com/loop-health/loop/connect"
	"github.com/loop-health/loop/connect/webhook"
)

// webhooks gives what receives Loop's webhooks, signed by a secret: what a member took
// back is forgotten at once, and new results are read without waiting for the round.
func (a *app) webhooks(secret string) (http.Handler, error) {
	receiver, err := webhook.New(webhook.Config{Secrets: []connect.Secret{connect.Secret(secret)}})
	if err != nil {
		return nil, err
	}
	return receiver.Handler(a.handle), nil
}

func (a *app) handle(ctx context.Context, e webhook.Event) error {
	switch e.Type {
	case webhook.GrantRevoked, webhook.UserDeleted:
		if err := a.loop.Forget(ctx, e.UserID); err != nil {
			return err
		}
		_, err := a.db.ExecContext(ctx, `DELETE FROM members WHERE id = $1`, e.UserID)
		return err
	case webhook.BiomarkerParsed:
		_, err := a.syncMember(ctx, e.UserID)
		return err
	}
	a.log.InfoContext(ctx, "received", "type", e.Type)
	return nil
}
