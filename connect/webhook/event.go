package webhook

import (
	"encoding/json"
	"fmt"
	"time"
)

// The types of events. An app answers 2xx to those that it does not know: there will be
// more.
const (
	GrantCreated      = "identity.grant.created.v1"       // Grant
	GrantUpdated      = "identity.grant.updated.v1"       // Grant
	GrantRevoked      = "identity.grant.revoked.v1"       // Grant
	UserDeleted       = "identity.user.deleted.v1"        // Grant, of which only the id is there
	BiomarkerParsed   = "clinical.biomarker.parsed.v1"    // Results
	LabResultCritical = "clinical.lab_result.critical.v1" // Results
	Test              = "identity.webhook.test.v1"        // of a developer who wants to see one arrive; without a member
)

// Event is something that happened.
type Event struct {
	ID         string          `json:"id"` // the same however often it is sent
	Type       string          `json:"type"`
	UserID     string          `json:"user_id"`
	ClientID   string          `json:"client_id"`
	OccurredAt time.Time       `json:"occurred_at"`
	Data       json.RawMessage `json:"data"` // as its type has it: Grant, Results
}

// Grant is what an event says of a member's consent.
type Grant struct {
	ID        string     `json:"grant_id"`
	Scopes    []string   `json:"scopes"`     // that the app has from now on
	ExpiresAt *time.Time `json:"expires_at"` // nil: the member chose no end
	Reason    string     `json:"reason"`     // why it ended
}

// Results is what an event says of lab results: which they are. The app reads them with
// the member's tokens.
type Results struct {
	IDs []string `json:"biomarker_ids"`
}

// Grant reads the data of an event of a consent.
func (e Event) Grant() (g Grant, err error) { return g, e.read(&g) }

// Results reads the data of an event of lab results.
func (e Event) Results() (r Results, err error) { return r, e.read(&r) }

func (e Event) read(into any) error {
	if err := json.Unmarshal(e.Data, into); err != nil {
		return fmt.Errorf("reading the data of a %s: %w", e.Type, err)
	}
	return nil
}
