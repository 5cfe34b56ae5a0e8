package fhir

import (
	"errors"
	"strings"
)

// readPatient notes that the document is about a patient.
func (r *Reader) readPatient(one resource) {
	var patient readPatientResource
	if err := decode(one.raw, &patient); err != nil {
		r.refuse(one.place, "%v", err)
		return
	}
	r.skipped++
	id := one.fullURL
	if patient.ID != "" {
		id = "Patient/" + patient.ID
	}
	if one.fullURL != "" {
		r.patients[one.fullURL] = id
	}
	if id != "" {
		r.seen(id)
	}
}

// patientOf gives the patient whom a result is about, as Patient/ID where the
// document says so.
func (r *Reader) patientOf(subject readReference) (string, error) {
	reference := subject.Reference
	switch id, known := r.patients[reference]; {
	case known:
		reference = id
	case reference == "" && subject.Identifier.Value != "":
		reference = subject.Identifier.System + "|" + subject.Identifier.Value
	case reference == "":
		return "", nil
	case strings.HasPrefix(reference, "urn:"), strings.Contains("/"+reference, "/Patient/"):
	case strings.HasPrefix(reference, "#"):
		return "", errors.New("its patient is inside the resource, where nobody can tell who that is")
	default:
		return "", errors.New("its subject is no patient")
	}
	reference, _, _ = strings.Cut(reference, "/_history/")
	r.seen(reference)
	return reference, nil
}
