package fhir

import "github.com/loop-health/loop/internal/biomarker"

// The code systems that the platform names.
const (
	SystemLOINC           = biomarker.SystemLOINC
	SystemUCUM            = "http://unitsofmeasure.org"
	SystemCategory        = "http://terminology.hl7.org/CodeSystem/observation-category"
	SystemInterpretation  = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
	SystemServiceSection  = "http://terminology.hl7.org/CodeSystem/v2-0074"
	urlDataAbsent         = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
	codeAbsentUnknown     = "unknown"
	codeLaboratory        = "laboratory"
	codeLaboratorySection = "LAB"
)

// Coding is a code of a code system.
type Coding struct {
	System  string `json:"system,omitempty"`
	Code    string `json:"code,omitempty"`
	Display string `json:"display,omitempty"`
}

// CodeableConcept is a meaning, by codes or in words.
type CodeableConcept struct {
	Coding []Coding `json:"coding,omitempty"`
	Text   string   `json:"text,omitempty"`
}

// Quantity is a number with a unit, and with a comparator where the value is beyond
// what was measured.
type Quantity struct {
	Value      biomarker.Decimal    `json:"value,omitzero"`
	Comparator biomarker.Comparator `json:"comparator,omitempty"`
	Unit       string               `json:"unit,omitempty"` // for people
	System     string               `json:"system,omitempty"`
	Code       string               `json:"code,omitempty"`
}

// Range is a value between two bounds, both included.
type Range struct {
	Low  *Quantity `json:"low,omitempty"`
	High *Quantity `json:"high,omitempty"`
}

// Ratio is one quantity to another, as a titre is 1:160.
type Ratio struct {
	Numerator   *Quantity `json:"numerator,omitempty"`
	Denominator *Quantity `json:"denominator,omitempty"`
}

// Reference names another resource, or somebody in words.
type Reference struct {
	Reference string `json:"reference,omitempty"`
	Display   string `json:"display,omitempty"`
}

// Identifier is a business name of something within a system.
type Identifier struct {
	System string `json:"system,omitempty"`
	Value  string `json:"value,omitempty"`
}

// Meta is what the server says of a resource.
type Meta struct {
	VersionID   string   `json:"versionId,omitempty"`
	LastUpdated string   `json:"lastUpdated,omitempty"` // an instant
	Profile     []string `json:"profile,omitempty"`
}

// Extension adds to an element what its definition has no place for.
type Extension struct {
	URL       string `json:"url"`
	ValueCode string `json:"valueCode,omitempty"`
}

// Period is a span of time, both ends included.
type Period struct {
	Start string `json:"start,omitempty"`
	End   string `json:"end,omitempty"`
}

// HumanName is a person's name.
type HumanName struct {
	Extension []Extension `json:"extension,omitempty"`
	Text      string      `json:"text,omitempty"`
	Family    string      `json:"family,omitempty"`
	Given     []string    `json:"given,omitempty"`
}
