// Package hl7 reads lab results from messages of HL7 version 2 (ORU^R01 of 2.1 to
// 2.8): one message, any number of them, and batches.
//
// A message is segments, in an order that says what belongs to what:
//
//	MSH ─► PID ─► OBR ─► OBX ─► NTE
//	       ▲      ▲      │
//	       └──────┴──────┘ again and again
//	              SPM ─► OBX: of the specimen, where the order's own came before
//
// Values are read as the text that they are: a field of type NM holds <0.1 and
// Negative in practice. What OBX-11 says is acted on: a result that is corrected,
// deleted or was sent for the wrong patient.
//
// Start with Reader; segment.go splits, observation.go makes results.
package hl7
