package registration

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

// difference names the fields that a change altered, for the record: their names
// and nothing of what is in them.
func difference(before, after *loop.Client) audit.Detail {
	detail := audit.Detail{}
	if fields := changedFields(before, after); len(fields) > 0 {
		detail["fields"] = strings.Join(fields, " ")
	}
	switch {
	case before.Verified && !after.Verified:
		detail["verification"] = "ended"
	case !before.Verified && after.Verified:
		detail["verification"] = "given"
	}
	if len(detail) == 0 {
		return nil
	}
	return detail
}

// fields is what can be changed of a client, under the names of registration.
type fields struct {
	Name           string             `json:"client_name"`
	RedirectURIs   []loop.RedirectURI `json:"redirect_uris"`
	AllowedScopes  loop.Scopes        `json:"allowed_scopes"`
	RequiredScopes loop.Scopes        `json:"required_scopes"`
	HomePage       string             `json:"client_uri"`
	PolicyPage     string             `json:"policy_uri"`
	TermsPage      string             `json:"tos_uri"`
	Logo           loop.Logo          `json:"logo_uri"`
	AccessTokenTTL int64              `json:"access_token_ttl"`
	RefreshGrace   int64              `json:"refresh_grace"`
	RequireNonce   bool               `json:"require_nonce"`
	loop.Protocol
	Mode       loop.Mode     `json:"mode"`
	BAA        *loop.BAA     `json:"baa"`
	FirstParty bool          `json:"first_party"`
	Owner      loop.MemberID `json:"owner"`

	Webhooks []loop.Webhook `json:"webhooks,omitempty"`
}

func fieldsOf(c *loop.Client) map[string]json.RawMessage {
	text, err := json.Marshal(fields{
		c.Name, c.RedirectURIs, c.AllowedScopes, c.RequiredScopes, c.HomePage, c.PolicyPage, c.TermsPage, c.Logo,
		int64(c.AccessTokenTTL), int64(c.RefreshGrace), c.RequireNonce, c.Protocol, c.Mode, c.BAA, c.FirstParty, c.Owner, c.Webhooks,
	})
	named := map[string]json.RawMessage{}
	if err == nil {
		err = json.Unmarshal(text, &named)
	}
	if err != nil {
		return nil // what a store has kept is JSON: it can't fail
	}
	return named
}

// changedFields are the names of the fields that differ, sorted.
func changedFields(before, after *loop.Client) []string {
	was, is := fieldsOf(before), fieldsOf(after)
	var changed []string
	for name, value := range is {
		if !bytes.Equal(value, was[name]) {
			changed = append(changed, name)
		}
	}
	for name := range was {
		if _, still := is[name]; !still {
			changed = append(changed, name)
		}
	}
	slices.Sort(changed)
	return changed
}
