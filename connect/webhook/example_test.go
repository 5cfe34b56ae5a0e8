package webhook_test

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/loop-health/loop/connect"
	"github.com/loop-health/loop/connect/webhook"
)

func Example() {
	// docs:begin receive
	receiver, err := webhook.New(webhook.Config{Secrets: []connect.Secret{connect.Secret(os.Getenv("LOOP_WEBHOOK_SECRET"))}})
	if err != nil {
		fmt.Println(err) // in an example there is no secret
		return
	}
	http.Handle("POST /webhooks/loop", receiver.Handler(func(_ context.Context, e webhook.Event) error {
		switch e.Type {
		case webhook.GrantRevoked, webhook.UserDeleted:
			fmt.Println("forget what was read of", e.UserID)
		case webhook.BiomarkerParsed:
			results, err := e.Results()
			if err != nil {
				return err
			}
			fmt.Println("read", len(results.IDs), "new results of", e.UserID)
		}
		return nil
	}))
	// docs:end receive
}
