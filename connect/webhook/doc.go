// Package webhook receives the events that Loop sends to an app: that a member
// allowed it more or less, or nothing any more, and that there are new lab results.
//
//	receiver, err := webhook.New(webhook.Config{Secrets: []connect.Secret{secret}})
//	…
//	http.Handle("POST /webhooks/loop", receiver.Handler(func(ctx context.Context, e webhook.Event) error {
//		switch e.Type {
//		case webhook.GrantRevoked:
//			return forget(ctx, e.UserID)
//		case webhook.BiomarkerParsed:
//			results, err := e.Results()
//			…
//		}
//		return nil // an event that the app does not know
//	}))
//
// An event is believed only with a signature (Standard Webhooks) by one of the app's
// secrets that is at most five minutes old. Loop sends an event until it is answered
// with 2xx, so one can come twice: the second is answered and not handled. What a
// handler returns an error for comes again.
package webhook
