package biomarker

import "fmt"

// Reported is one result as a document has it: named by its sender's codes, about
// whomever the document calls its patient. Package intake finds out what and whose
// it is.
type Reported struct {
	Place   string `json:"place"`             // where it is in the document: a line, or a path
	Patient string `json:"patient,omitempty"` // the sender's id of the patient; empty: the document names none
	Report  string `json:"report,omitempty"`  // what names it, or its report, at the sender; empty: nothing does
	Names   []Name `json:"names"`             // what was measured, in the sender's order
	State   State  `json:"state,omitempty"`
	// Incoming is the result itself. Its Code and LOINC are empty.
	Incoming Incoming `json:"result"`
}

// Name is a code for what was measured.
type Name struct {
	System string `json:"system,omitempty"` // a URI, SystemLOINC for LOINC; empty: the sender's own
	Code   string `json:"code"`
}

// SystemLOINC is the URI of LOINC's codes (FHIR R4, terminologies-systems).
const SystemLOINC = "http://loinc.org"

// State says what a document makes of a result that may have been sent before.
type State string

// The states of a result in a document.
const (
	Final     State = ""
	Corrected State = "corrected" // it takes the place of the one sent before
	Deleted   State = "deleted"   // the one sent before was entered in error
)

// Row is a part of a document of which no result can be made, and why. Reason holds
// nothing of what is written there.
type Row struct{ Place, Reason string }

// Error gives place and reason.
func (r *Row) Error() string { return r.Place + ": " + r.Reason }

// RefuseRow makes the error for a part of a document.
func RefuseRow(place, format string, args ...any) error {
	return &Row{place, fmt.Sprintf(format, args...)}
}

// Malformed is a document that is not in its format from a place on, so that nothing
// in it can be trusted.
type Malformed struct{ Place, Reason string }

// Error gives place and reason.
func (m *Malformed) Error() string {
	if m.Place == "" {
		return m.Reason
	}
	return m.Place + ": " + m.Reason
}

// RefuseDocument makes the error for a whole document.
func RefuseDocument(place, format string, args ...any) error {
	return &Malformed{place, fmt.Sprintf(format, args...)}
}
