// Package fhir holds the resources of HL7 FHIR R4 (4.0.1) that the platform reads and
// writes, with the elements that it uses, and makes them of lab results. It knows
// neither HTTP nor a store. What the platform writes goes field by field, since an
// answer holds a hundred Observations.
//
// Numbers keep their digits: 1.10 stays 1.10. Ids are the platform's with a hyphen
// in place of the underscore, which FHIR does not allow in an id.
//
// Read observation.go next, then result.go, which makes Observations, and read.go, which
// reads the results of a document of any length.
package fhir
