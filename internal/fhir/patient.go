package fhir

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
)

// Patient is the person whom resources are about
// (https://hl7.org/fhir/R4/patient.html).
type Patient struct {
	ResourceType string       `json:"resourceType"`
	ID           string       `json:"id,omitempty"`
	Meta         *Meta        `json:"meta,omitempty"`
	Identifier   []Identifier `json:"identifier,omitempty"`
	Active       *bool        `json:"active,omitempty"`
	Name         []HumanName  `json:"name,omitempty"`
	Gender       string       `json:"gender,omitempty"`
	BirthDate    string       `json:"birthDate,omitempty"`
}

// TypePatient is the name of the resource type.
const TypePatient = "Patient"

// ProfilePatient is US Core's profile of patients.
const ProfilePatient = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient"

// Patient makes the resource of a member. Which parts of a name are the family's is
// not known, and said to be.
func (m *Resources) Patient(member loop.MemberID, name string, person biomarker.Person) *Patient {
	active := true
	p := &Patient{
		ResourceType: TypePatient, ID: PatientID(member), Meta: &Meta{Profile: []string{ProfilePatient}},
		Identifier: []Identifier{{System: m.members, Value: string(member)}}, Active: &active,
		Name:   []HumanName{{Extension: []Extension{{URL: urlDataAbsent, ValueCode: codeAbsentUnknown}}, Text: name}},
		Gender: gender(person.Sex),
	}
	if !person.BornOn.IsZero() {
		p.BirthDate = person.BornOn.Format(time.DateOnly)
	}
	return p
}

// gender is the member's recorded sex, as FHIR has it.
func gender(sex loop.Sex) string {
	if sex == "" {
		return "unknown"
	}
	return string(sex)
}

// PatientSearch is what a search for patients asks for.
type PatientSearch struct {
	Found      bool // the member is one of them
	Parameters url.Values
}

// ParsePatientSearch reads the parameters of a search for patients, of whom a token
// knows one. An unknown parameter is a ValidationError.
func ParsePatientSearch(member loop.MemberID, m *Resources, values url.Values) (*PatientSearch, error) {
	search := &PatientSearch{Found: true, Parameters: values}
	for name, texts := range values {
		for _, text := range texts {
			switch name {
			case paramID:
				search.Found = search.Found && slices.Contains(strings.Split(text, ","), PatientID(member))
			case "identifier":
				search.Found = search.Found && anyMatches(parseTokens(text), m.members, string(member))
			case paramFormat, paramPretty:
			default:
				return nil, refuse(shown(name), "This search has no parameter %s. It has _id, identifier, _format, _pretty.", shown(name))
			}
		}
	}
	return search, nil
}
