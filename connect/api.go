package connect

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Member is what the app may do for one member. It holds no token: each request asks
// for one that is good.
type Member struct {
	ID         string
	Biomarkers *Biomarkers

	client *Client
}

// For gives a member's data. Nothing is asked for yet.
func (c *Client) For(member string) *Member {
	m := &Member{ID: member, client: c}
	m.Biomarkers = &Biomarkers{member: m}
	return m
}

// Format shows the member's id and nothing else.
func (m *Member) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "Member ", m.ID) }

// HTTP gives a client that sends requests to Loop in the member's name: with their
// token, refreshed before it expires, and again after 429, 502, 503, 504 and broken
// connections where repeating is safe. A POST is repeated only with an Idempotency-Key.
// Requests to any other host are refused. A member who has to connect again is
// ErrReconnect.
func (m *Member) HTTP() *http.Client {
	return &http.Client{
		Transport:     &transport{client: m.client, member: m.ID},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Profile is who the member is, as far as they allow it.
type Profile struct {
	Member        string `json:"sub"`
	Name          string `json:"name"`  // needs the scope profile
	Email         string `json:"email"` // needs the scope email
	EmailVerified bool   `json:"email_verified"`
}

// Profile asks Loop who the member is (OpenID Connect Core §5.3).
func (m *Member) Profile(ctx context.Context) (*Profile, error) {
	at, err := m.client.discovery.get(ctx)
	if err != nil {
		return nil, err
	}
	var profile Profile
	if err := m.read(ctx, at.UserInfo, &profile); err != nil {
		return nil, fmt.Errorf("reading a member's profile: %w", err)
	}
	if profile.Member != m.ID { // §5.3.2: it would be somebody else's
		return nil, errors.New("reading a member's profile: it is another's")
	}
	return &profile, nil
}

// Biomarkers are a member's lab results. They need the scope read:biomarkers.
type Biomarkers struct{ member *Member }

// Format shows whose they are.
func (b *Biomarkers) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "Biomarkers of ", b.member.ID) }

// Biomarker is one lab result.
type Biomarker struct {
	ID                    string       `json:"id"`
	Member                string       `json:"patient_id"`
	Code                  string       `json:"biomarker_code"` // never renamed, never reused
	Name                  string       `json:"biomarker_name"`
	Category              string       `json:"category"`
	LOINC                 *string      `json:"loinc_code"`
	Value                 json.Number  `json:"value"`            // with the digits that the laboratory gave; empty: see Text
	Kind                  string       `json:"value_kind"`       // quantity, or what Text is: titre, ordinal, nominal, range, text
	Text                  *string      `json:"value_text"`       // what the laboratory wrote where that is no plain number
	Comparator            *string      `json:"value_comparator"` // <, <=, > or >=: the value is a bound
	Unit                  string       `json:"unit"`             // UCUM; empty: it has none
	UnitSystem            *string      `json:"unit_system"`      // conventional or si
	Original              *Original    `json:"original"`         // what the laboratory reported, where that is another unit
	ReferenceLow          *json.Number `json:"reference_low"`
	ReferenceLowIncluded  *bool        `json:"reference_low_included"` // whether a value that equals the limit is normal
	ReferenceHigh         *json.Number `json:"reference_high"`
	ReferenceHighIncluded *bool        `json:"reference_high_included"`
	Status                *string      `json:"status"`             // low, normal, high or critical, as judged when it was read
	StatusRule            *string      `json:"status_rule"`        // what the status follows from
	CriticalDirection     *string      `json:"critical_direction"` // low or high, of a critical value
	Source                string       `json:"source"`
	CollectedAt           Moment       `json:"collected_at"`
	ParsedAt              time.Time    `json:"parsed_at"`
}

// Original is a value as the laboratory reported it.
type Original struct {
	Value json.Number `json:"value"`
	Unit  string      `json:"unit"` // UCUM
}

// Moment is when a sample was taken, as exactly as the laboratory said.
type Moment struct {
	time.Time
	DateOnly bool   // no time is known: Time is the beginning of the day, the month or the year in UTC
	layout   string // of a month or a year
}

// UnmarshalJSON reads a time (RFC 3339), or a date, a month or a year.
func (m *Moment) UnmarshalJSON(encoded []byte) error {
	var text string
	if err := json.Unmarshal(encoded, &text); err != nil {
		return err
	}
	layout := time.RFC3339
	m.layout = ""
	switch m.DateOnly = len(text) <= len(time.DateOnly); len(text) {
	case len(time.DateOnly):
		layout = time.DateOnly
	case len("2006-01"), len("2006"):
		layout = "2006-01"[:len(text)]
		m.layout = layout
	}
	var err error
	m.Time, err = time.Parse(layout, text)
	return err
}

// MarshalJSON writes it as it was read.
func (m Moment) MarshalJSON() ([]byte, error) {
	if m.DateOnly {
		return json.Marshal(m.Format(cmp.Or(m.layout, time.DateOnly)))
	}
	return json.Marshal(m.Time)
}

// BiomarkerQuery says which lab results. The zero value is all of them.
type BiomarkerQuery struct {
	Codes    []string  // only these biomarkers
	Category string    // only this group, such as lipids
	Statuses []string  // only these: low, normal, high, critical
	From, To time.Time // when the sample was taken: From is included, To is not
	Latest   bool      // only the newest of each biomarker
	System   string    // of units: conventional or si; empty: conventional
	Limit    int       // on a page: 1 to 500; 0: 100
	Cursor   string    // the next page, as the one before named it; with the same query
}

func (q BiomarkerQuery) values() url.Values {
	v := url.Values{}
	v["code"], v["status"] = q.Codes, q.Statuses
	for name, text := range map[string]string{"category": q.Category, "cursor": q.Cursor, "unit_system": q.System} {
		if text != "" {
			v.Set(name, text)
		}
	}
	for name, at := range map[string]time.Time{"from": q.From, "to": q.To} {
		if !at.IsZero() {
			v.Set(name, at.UTC().Format(time.RFC3339Nano))
		}
	}
	if q.Latest {
		v.Set("latest", "true")
	}
	if q.Limit != 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	return v
}

// BiomarkerPage is some of the lab results, newest first.
type BiomarkerPage struct {
	Biomarkers []Biomarker `json:"biomarkers"`
	Next       string      `json:"next_cursor"` // the Cursor of the next page; empty: this is the last
}

// List reads a page of lab results.
func (b *Biomarkers) List(ctx context.Context, query BiomarkerQuery) (*BiomarkerPage, error) {
	var page BiomarkerPage
	if err := b.member.get(ctx, "/v1/biomarkers/me?"+query.values().Encode(), &page); err != nil {
		return nil, fmt.Errorf("reading lab results: %w", err)
	}
	return &page, nil
}

// All reads every lab result, page by page. An error is the last that it gives.
func (b *Biomarkers) All(ctx context.Context, query BiomarkerQuery) iter.Seq2[Biomarker, error] {
	return func(yield func(Biomarker, error) bool) {
		for {
			page, err := b.List(ctx, query)
			if err != nil {
				yield(Biomarker{}, err)
				return
			}
			for _, one := range page.Biomarkers {
				if !yield(one, nil) {
					return
				}
			}
			if page.Next == "" {
				return
			}
			query.Cursor = page.Next
		}
	}
}

// get reads JSON from the API.
func (m *Member) get(ctx context.Context, path string, into any) error {
	return m.read(ctx, m.client.config.API+path, into)
}

func (m *Member) read(ctx context.Context, address string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	response, err := m.HTTP().Do(r)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		err := errorOf(response)
		if isCode(err, "invalid_token") {
			return reconnect(err)
		}
		return err
	}
	defer response.Body.Close() //nolint:errcheck // it is read to its end
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return fmt.Errorf("the answer can't be read: %w", err)
	}
	return nil
}
