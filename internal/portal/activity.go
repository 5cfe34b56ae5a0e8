package portal

import (
	"context"
	"strings"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

// What was done to an app, from the audit record: on its page, and at the next visit
// to the portal of the developer whose app it is.

// maxActivity is how much of it a page shows, the newest first.
const maxActivity = 20

// activity is one thing that was done, in words.
type activity struct {
	App  string // its name; empty on its own page
	Path string
	What string
	By   string
	When string
	Note string // what follows from it; empty: nothing
}

// appActivity is what was done to an app lately.
func (h *Host) appActivity(ctx context.Context, dev *developer, app loop.ClientID) ([]activity, error) {
	records, err := h.clients.Store.ClientRecords(ctx, app, maxActivity)
	if err != nil {
		return nil, err
	}
	shown := make([]activity, len(records))
	for i, rec := range records {
		shown[i] = newActivity(rec, dev)
	}
	return shown, nil
}

// news is what was done to a developer's apps between their visit before this one and
// now; none on the first visit.
func (h *Host) news(ctx context.Context, dev *developer, apps []*loop.Client) ([]activity, error) {
	if dev.Since.IsZero() {
		return nil, nil
	}
	records, err := h.clients.Store.OwnerRecords(ctx, dev.Member, dev.Since, maxActivity)
	if err != nil {
		return nil, err
	}
	names := map[loop.ClientID]string{}
	for _, app := range apps {
		names[app.ID] = app.Name
	}
	shown := make([]activity, len(records))
	for i, rec := range records {
		shown[i] = newActivity(rec, dev)
		shown[i].App, shown[i].Path = names[rec.Client], appPath(rec.Client)
	}
	return shown, nil
}

func newActivity(rec audit.Record, dev *developer) activity {
	a := activity{What: whatWasDone(rec), By: whoDid(rec, dev), When: moment(rec.At)}
	switch rec.Detail["verification"] {
	case "ended":
		a.Note = "It is not verified any more, until Loop has looked at it again."
	case "given":
		a.Note = "Loop has verified it."
	}
	return a
}

func whatWasDone(rec audit.Record) string {
	switch rec.Event {
	case audit.ClientCreated:
		return "Registered"
	case audit.ClientEnabled:
		return "Enabled"
	case audit.ClientDisabled:
		return "Disabled"
	case audit.ClientSecretMade:
		return "New secret"
	case audit.WebhookAdded:
		return "Webhook added"
	case audit.WebhookChanged:
		return "Webhook changed"
	case audit.WebhookSecretMade:
		return "New signing secret of a webhook"
	case audit.WebhookTested:
		return "Test event sent to a webhook"
	case audit.WebhookDisabled:
		return "Webhook disabled: its address does not work"
	case audit.WebhookDeleted:
		return "Webhook deleted"
	}
	fields := strings.Fields(rec.Detail["fields"])
	if len(fields) == 0 {
		return "Saved without a change"
	}
	for i, field := range fields {
		fields[i] = fieldWords(field)
	}
	return "Changed: " + strings.Join(fields, ", ")
}

// fieldWords is how the form calls a field.
func fieldWords(field string) string {
	words := map[string]string{ //nolint:gosec // G101: names of fields, and no secrets
		"client_name": "name", "redirect_uris": "redirect URIs", "allowed_scopes": "scopes", "client_uri": "home page",
		"policy_uri": "privacy policy", "tos_uri": "terms of service", "logo_uri": "logo", "jwks": "keys", "jwks_uri": "address of its keys",
		"access_token_ttl": "lifetime of access tokens", "refresh_grace": "grace period", "require_nonce": "nonce",
		"id_token_signed_response_alg": "algorithm of ID tokens", "token_endpoint_auth_method": "authentication",
		"post_logout_redirect_uris": "addresses after signing out", "backchannel_logout_uri": "address for sign-outs",
		"dpop_bound_access_tokens": "DPoP", "baa": "agreement",
	}
	if known, ok := words[field]; ok {
		return known
	}
	return strings.ReplaceAll(field, "_", " ")
}

// whoDid says who acted and, of a developer, from which address.
func whoDid(rec audit.Record, dev *developer) string {
	who := "Loop"
	switch rec.Actor.Kind {
	case audit.ByMember:
		who = "another developer"
		if rec.Actor.ID == string(dev.Member) {
			who = "you"
		}
	case audit.ByOperator:
		return "an operator of Loop"
	}
	if rec.Origin.Address != "" && rec.Actor.Kind == audit.ByMember {
		who += ", from " + rec.Origin.Address
	}
	return who
}
