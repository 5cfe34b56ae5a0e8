package loop

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// Shown is what members are shown of an app, by which they know it.
type Shown struct {
	Name       string   `json:"client_name"`
	HomePage   string   `json:"client_uri,omitempty"`
	PolicyPage string   `json:"policy_uri,omitempty"`
	TermsPage  string   `json:"tos_uri,omitempty"`
	Logo       string   `json:"logo_uri,omitempty"`
	Picture    string   `json:"logo,omitempty"` // that came from there, by its hash
	Hosts      []string `json:"redirect_hosts"` // that answers go to, sorted
}

// Shown is the app as members are shown it now.
func (c *Client) Shown() Shown {
	hosts := []string{}
	for _, uri := range c.RedirectURIs {
		hosts = append(hosts, uri.Host())
	}
	slices.Sort(hosts)
	return Shown{c.Name, c.HomePage, c.PolicyPage, c.TermsPage, c.Logo.URI, c.Logo.Picture, slices.Compact(hosts)}
}

// Difference names what differs between two, by the names of registration.
func (s Shown) Difference(other Shown) []string {
	var fields []string
	for _, field := range []struct {
		name string
		same bool
	}{
		{"client_name", s.Name == other.Name},
		{"client_uri", s.HomePage == other.HomePage},
		{"policy_uri", s.PolicyPage == other.PolicyPage},
		{"tos_uri", s.TermsPage == other.TermsPage},
		{"logo_uri", s.Logo == other.Logo && s.Picture == other.Picture},
		{"redirect_hosts", slices.Equal(s.Hosts, other.Hosts)},
	} {
		if !field.same {
			fields = append(fields, field.name)
		}
	}
	return fields
}

// Appearance is the history of what members are shown of a client, as far as a
// decision rests on it.
type Appearance struct {
	// ChangedAt is when its name or a page changed, or its verification ended; zero:
	// never.
	ChangedAt time.Time `json:"changed_at,omitzero"`
	// HostsSince says of each redirect host that was added after the registration
	// when that was.
	HostsSince map[string]time.Time `json:"hosts_since,omitempty"`
	// Verified is the app as Loop last verified it, where its developer has changed
	// it since: an operator has to look at it again. nil: there is nothing to review.
	Verified *Shown `json:"verified,omitempty"`
}

func (a Appearance) clone() Appearance {
	a.HostsSince = maps.Clone(a.HostsSince)
	if a.Verified != nil {
		verified := *a.Verified
		verified.Hosts = slices.Clone(verified.Hosts)
		a.Verified = &verified
	}
	return a
}

// NoteChange notes at a moment how the client differs from what it was before.
// Where its developer changed what Loop verified, the client is not verified any
// more, and an operator has to review it.
func (c *Client) NoteChange(before *Client, byDeveloper bool, at time.Time) {
	was, is := before.Shown(), c.Shown()
	changed := was.Difference(is)
	if byDeveloper && before.Verified && len(changed) > 0 {
		c.Verified, c.Appearance.Verified = false, &was
	}
	if c.Verified {
		c.Appearance.Verified = nil // as it is now
	}
	// The host of a document's address answers for what the document says.
	onlyHosts := slices.Equal(changed, []string{"redirect_hosts"}) || c.Registration.By == RegisteredByDocument
	if len(changed) > 0 && !onlyHosts || before.Verified && !c.Verified {
		c.Appearance.ChangedAt = at
	}
	since := map[string]time.Time{}
	for _, host := range is.Hosts {
		if known, ok := c.Appearance.HostsSince[host]; ok && slices.Contains(was.Hosts, host) {
			since[host] = known
		} else if !slices.Contains(was.Hosts, host) {
			since[host] = at
		}
	}
	c.Appearance.HostsSince = since
	if len(since) == 0 {
		c.Appearance.HostsSince = nil
	}
}

// ShownSince is since when members who return to this redirect URI are shown the
// client as it is; zero: since it was registered.
func (c *Client) ShownSince(uri RedirectURI) time.Time {
	if since := c.Appearance.HostsSince[uri.Host()]; since.After(c.Appearance.ChangedAt) {
		return since
	}
	return c.Appearance.ChangedAt
}

// Review names what an operator has to look at, so that they verify what they saw
// and nothing newer; empty where there is nothing to review.
func (c *Client) Review() string {
	if c.Appearance.Verified == nil {
		return ""
	}
	text, err := json.Marshal([]Shown{*c.Appearance.Verified, c.Shown()})
	if err != nil {
		return "" // strings alone: it can't fail
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16]) // the developer chooses what is hashed: it must not be made to collide
}
