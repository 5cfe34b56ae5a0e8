package loop

import "time"

// Receipt is one answer of a member on the consent page: what they were shown, and
// what they allowed. It is kept with the grant, so that the member can read it later.
// It holds nothing of the member's own data.
type Receipt struct {
	ID     ReceiptID
	Grant  GrantID
	Member MemberID
	At     time.Time

	Shown    ConsentPage
	Allowed  Scopes
	Declined Scopes
	EndsAt   time.Time // that the member chose; zero: none
}

// ConsentPage is what a consent page says, in the words that the member reads.
type ConsentPage struct {
	Language    string        `json:"language"` // a BCP 47 tag
	Version     string        `json:"version"`  // of the texts in that language
	App         string        `json:"app"`
	Host        string        `json:"host"` // that the member returns to
	Verified    bool          `json:"verified"`
	Development bool          `json:"development"`
	PolicyPage  string        `json:"policy,omitempty"`
	Lines       []ConsentLine `json:"lines"`
	Cannot      string        `json:"cannot"` // what the app can't do
}

// ConsentLine is what the page says of one scope.
type ConsentLine struct {
	Scope  Scope  `json:"scope"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Needed bool   `json:"needed,omitempty"`
}
