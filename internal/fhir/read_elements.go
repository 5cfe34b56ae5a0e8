package fhir

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"

	"github.com/loop-health/loop/internal/biomarker"
)

// What is read of an Observation (FHIR R4). A name that is not here is no part of the
// result, but for modifiers, which change what a result means.

type readObservation struct {
	ResourceType      string            `json:"resourceType"`
	ID                string            `json:"id"`
	ImplicitRules     string            `json:"implicitRules"`
	ModifierExtension []json.RawMessage `json:"modifierExtension"`
	Contained         []json.RawMessage `json:"contained"`
	Identifier        []Identifier      `json:"identifier"`
	Status            string            `json:"status"`
	Subject           readReference     `json:"subject"`
	HasMember         []json.RawMessage `json:"hasMember"`
	Component         []readPart        `json:"component"`
	readWhen
	readPart
}

// readWhen is when a result is of.
type readWhen struct {
	EffectiveDateTime string          `json:"effectiveDateTime"`
	EffectiveInstant  string          `json:"effectiveInstant"`
	EffectivePeriod   *Period         `json:"effectivePeriod"`
	EffectiveTiming   json.RawMessage `json:"effectiveTiming"`
}

// readPart is what an Observation and each of its components have.
type readPart struct {
	Code             CodeableConcept   `json:"code"`
	DataAbsentReason *CodeableConcept  `json:"dataAbsentReason"`
	Interpretation   []CodeableConcept `json:"interpretation"`
	ReferenceRange   []readRange       `json:"referenceRange"`

	ValueQuantity        *Quantity          `json:"valueQuantity"`
	ValueCodeableConcept *CodeableConcept   `json:"valueCodeableConcept"`
	ValueString          *string            `json:"valueString"`
	ValueInteger         *biomarker.Decimal `json:"valueInteger"`
	ValueRange           *readRange         `json:"valueRange"`
	ValueRatio           *readRatio         `json:"valueRatio"`
	ValueBoolean         *bool              `json:"valueBoolean"`
	ValueSampledData     json.RawMessage    `json:"valueSampledData"`
	ValueTime            json.RawMessage    `json:"valueTime"`
	ValueDateTime        json.RawMessage    `json:"valueDateTime"`
	ValuePeriod          json.RawMessage    `json:"valuePeriod"`
}

type readReference struct {
	Reference  string     `json:"reference"`
	Identifier Identifier `json:"identifier"`
}

type readRange struct {
	Low       *Quantity         `json:"low"`
	High      *Quantity         `json:"high"`
	Type      CodeableConcept   `json:"type"`
	AppliesTo []json.RawMessage `json:"appliesTo"`
	Age       json.RawMessage   `json:"age"`
	Text      string            `json:"text"`
}

type readRatio struct {
	Numerator   Quantity `json:"numerator"`
	Denominator Quantity `json:"denominator"`
}

// readReportResource is what is read of a DiagnosticReport.
type readReportResource struct {
	Contained []json.RawMessage `json:"contained"`
	Status    string            `json:"status"`
}

type readPatientResource struct {
	ID string `json:"id"`
}

// elements are the names that are read, by their letters in lower case.
var elements = elementsOf(reflect.TypeFor[readObservation](), reflect.TypeFor[readReportResource](), reflect.TypeFor[bundleEntry](), reflect.TypeFor[readPatientResource]())

func elementsOf(types ...reflect.Type) map[string]string {
	names := make(map[string]string)
	var visit func(reflect.Type)
	visit = func(t reflect.Type) {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct || t == reflect.TypeFor[biomarker.Decimal]() {
			return
		}
		for i := range t.NumField() {
			if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "" {
				names[strings.ToLower(name)] = name
			}
			visit(t.Field(i).Type)
		}
	}
	for _, t := range types {
		visit(t)
	}
	return names
}

// elementSpelling gives the spelling of an element that is read.
func elementSpelling(name []byte) (exact string, known bool) {
	if exact, known = elements[string(name)]; known { // in lower case already
		return exact, true
	}
	exact, known = elements[string(bytes.ToLower(name))]
	return exact, known
}
