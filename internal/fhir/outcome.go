package fhir

// OperationOutcome says what went wrong, or what there is to know of an answer
// (https://hl7.org/fhir/R4/operationoutcome.html).
type OperationOutcome struct {
	ResourceType string  `json:"resourceType"`
	Issue        []Issue `json:"issue"`
}

// Issue is one thing that an OperationOutcome says.
type Issue struct {
	Severity    string           `json:"severity"`
	Code        string           `json:"code"` // an IssueType
	Details     *CodeableConcept `json:"details,omitempty"`
	Diagnostics string           `json:"diagnostics,omitempty"`
	Expression  []string         `json:"expression,omitempty"`
}

// TypeOperationOutcome is the name of the resource type.
const TypeOperationOutcome = "OperationOutcome"
