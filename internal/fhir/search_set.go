package fhir

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// Resource is a resource that can be written.
type Resource interface {
	// AppendJSON appends the resource as JSON.
	AppendJSON(to []byte) []byte
}

// Encoded is a resource that was written before.
type Encoded json.RawMessage

// AppendJSON appends the resource as JSON.
func (e Encoded) AppendJSON(to []byte) []byte { return append(to, e...) }

// Encode writes a resource that is not asked for often.
func Encode(resource any) (Encoded, error) {
	encoded, err := json.Marshal(resource)
	if err != nil {
		return nil, fmt.Errorf("encoding a resource: %w", err)
	}
	return encoded, nil
}

// Match is a resource of an answer to a search.
type Match struct {
	FullURL  string
	Resource Resource
	Mode     string
}

// Set is an answer to a search: a Bundle of the type searchset.
type Set struct {
	Timestamp string
	Total     *int // nil: it is not said
	Links     []Link
	Matches   []Match
}

// AppendJSON appends the Bundle as JSON.
func (s *Set) AppendJSON(to []byte) []byte {
	w := writer(to)
	w.open('{')
	w.field("resourceType", TypeBundle)
	w.field("type", SearchSet)
	w.field("timestamp", s.Timestamp)
	if s.Total != nil {
		w.name("total")
		w = strconv.AppendInt(w, int64(*s.Total), 10)
	}
	list(&w, "link", s.Links, func(l *Link) {
		w.field("relation", l.Relation)
		w.field("url", l.URL)
	})
	list(&w, "entry", s.Matches, func(m *Match) {
		w.field("fullUrl", m.FullURL)
		w.name("resource")
		w = m.Resource.AppendJSON(w)
		w.name("search")
		w.open('{')
		w.field("mode", m.Mode)
		w.close('}')
	})
	w.close('}')
	return w
}
