package fhir

import "encoding/json"

// Bundle is a list of resources (https://hl7.org/fhir/R4/bundle.html). One without
// entries has no field entry: an empty list is not allowed.
type Bundle struct {
	ResourceType string  `json:"resourceType"`
	Type         string  `json:"type,omitempty"`
	Timestamp    string  `json:"timestamp,omitempty"` // an instant
	Total        *int    `json:"total,omitempty"`     // of a search: how many match, on all pages
	Link         []Link  `json:"link,omitempty"`
	Entry        []Entry `json:"entry,omitempty"`
}

// Link is an address of another page of a Bundle.
type Link struct {
	Relation string `json:"relation"`
	URL      string `json:"url"`
}

// Entry is one resource of a Bundle.
type Entry struct {
	FullURL  string          `json:"fullUrl,omitempty"`
	Resource json.RawMessage `json:"resource,omitempty"`
	Search   *EntrySearch    `json:"search,omitempty"`
}

// EntrySearch says why an entry is in the answer to a search.
type EntrySearch struct {
	Mode string `json:"mode"`
}

// What the entries of a search are.
const (
	ModeMatch   = "match"
	ModeInclude = "include"
	ModeOutcome = "outcome" // what the server has to say about the search
)

// TypeBundle is the name of the resource type.
const TypeBundle = "Bundle"

// SearchSet is the type of a Bundle that answers a search.
const SearchSet = "searchset"
