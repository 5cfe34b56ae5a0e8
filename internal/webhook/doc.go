// Package webhook tells apps what happened: to consents that members gave them, and
// to health data that these cover.
//
//	act ──▶ Event ──▶ a message for each webhook of the app that takes its type
//	                       │  in the act's transaction
//	                       ▼
//	     outbox ──▶ Deliverer: still allowed? ──no──▶ withdrawn
//	                       │ yes
//	                       ▼ signed, sent
//	       2xx: delivered │ 410: webhook disabled │ else: again, for 3 days
//
// A message holds ids and no health values. Whether the app may have it is decided
// when it is written and again at each attempt, and a revocation cuts off what is
// being sent under it before it is answered: nothing goes out after that.
//
// Webhooks are part of an app's registration (package registration). How messages
// wait, are claimed and sent again is package outbox's. Start with event.go, then
// deliverer.go.
package webhook
