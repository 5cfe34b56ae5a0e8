package fhir

import (
	"strings"

	"github.com/loop-health/loop/internal/loop"
)

// ObservationID is a result's id as FHIR allows it: bmk-01K….
func ObservationID(id loop.ResultID) string { return strings.Replace(string(id), "_", "-", 1) }

// ResultID is the result that an Observation's id names; false where it can be none.
func ResultID(id string) (loop.ResultID, bool) {
	result := loop.ResultID(underscored(id))
	return result, result.Valid() && ObservationID(result) == id
}

// PatientID is a member's id as FHIR allows it: user-01K….
func PatientID(id loop.MemberID) string { return loop.PatientID(id) }

// MemberID is the member that a Patient's id names; false where it can be none.
func MemberID(id string) (loop.MemberID, bool) {
	member := loop.MemberID(underscored(id))
	return member, member.Valid() && PatientID(member) == id
}

func underscored(id string) string { return strings.Replace(id, "-", "_", 1) }
