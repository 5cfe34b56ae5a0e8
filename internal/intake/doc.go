// Package intake takes in files of lab results: FHIR, HL7 v2 and CSV, whatever
// laboratories and members have.
//
// A file is read twice, with one result in memory at a time. The first reading
// (Check) finds out whether the whole of it is in its format, and about which patients
// it is; the second (Import) hands on batches. What a Keeper makes of a batch is one
// transaction a member:
//
//	read ──► named by no known code ──► aside, until somebody maps the code
//	     ──► not understood ──► refused, by its place and the reason
//	     ──► known, and the same ──► duplicate
//	     ──► known, and other ──► corrected, if the file says so; else refused
//	     ──► kept
//
// A result has an id that follows from its member and from what its sender calls it,
// so that importing a file again, or after half of it, keeps nothing twice.
//
// Nothing is guessed. A file about several patients needs to be told who each of them
// is. Start with Files and Keeper.
package intake
