package clinical

import (
	"encoding/json"
	"strconv"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/fhir"
	"github.com/loop-health/loop/internal/loop"
)

// operationOutcome writes an error as FHIR has it (web.ErrorForm).
func operationOutcome(e *loop.Error, id loop.RequestID, uri string) (kind string, body []byte) {
	issue := fhir.Issue{
		Severity: "error", Code: issueType(e.Code), Details: &fhir.CodeableConcept{Text: e.Description},
		Diagnostics: string(e.Code) + ", " + uri + ", request " + string(id),
	}
	if e.Field != "" {
		issue.Expression = []string{e.Field}
	}
	body, err := json.Marshal(fhir.OperationOutcome{ResourceType: fhir.TypeOperationOutcome, Issue: []fhir.Issue{issue}})
	if err != nil { // texts alone: they always have a form
		panic("clinical: an outcome can't be written: " + err.Error())
	}
	return formatFHIR, body
}

// issueType is the kind of an error in FHIR
// (https://hl7.org/fhir/R4/valueset-issue-type.html).
func issueType(code loop.Code) string {
	switch code {
	case loop.Unauthenticated:
		return "login"
	case loop.InvalidToken, loop.InvalidDPoPProof, loop.UseDPoPNonce, loop.InsufficientUserAuthentication:
		return "security"
	case loop.InsufficientScope, loop.Forbidden:
		return "forbidden"
	case loop.NotFound:
		return "not-found"
	case loop.MethodNotAllowed, loop.NotAcceptable, loop.UnsupportedMediaType:
		return "not-supported"
	case loop.PayloadTooLarge, loop.URITooLong, loop.HeadersTooLarge:
		return "too-long"
	case loop.RateLimited:
		return "throttled"
	case loop.TemporarilyUnavailable:
		return "transient"
	case loop.ServerError:
		return "exception"
	case loop.ValidationError:
		return "value"
	default:
		return "invalid"
	}
}

// outcomeURL names the outcome within a Bundle: each entry has an address.
const outcomeURL = "urn:uuid:1d3d6a4e-9b6f-4a57-8c0e-5f4f5b0e6c11"

// loweredCount says that a page holds less than was asked for.
func loweredCount() fhir.Match {
	body, err := fhir.Encode(fhir.OperationOutcome{ResourceType: fhir.TypeOperationOutcome, Issue: []fhir.Issue{{
		Severity: "warning", Code: "too-costly",
		Details: &fhir.CodeableConcept{Text: "A page holds at most " + strconv.Itoa(biomarker.MaxLimit) + " results. Follow the link next for more."},
	}}})
	if err != nil { // texts alone: they always have a form
		panic("clinical: an outcome can't be written: " + err.Error())
	}
	return fhir.Match{FullURL: outcomeURL, Resource: body, Mode: fhir.ModeOutcome}
}
