package clinical

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/web"
)

// submission is the body of POST /v1/biomarkers/me.
type submission struct {
	Biomarkers submittedResults `json:"biomarkers"`
}

// submittedResults are read one by one, so that a body of too many is refused before
// it takes memory.
type submittedResults []submittedResult

// UnmarshalJSON reads as many results as a batch may have.
func (list *submittedResults) UnmarshalJSON(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if token, err := decoder.Token(); err != nil || token != json.Delim('[') {
		return loop.Errorf(loop.ValidationError, "biomarkers is a list of results.").About("biomarkers")
	}
	for decoder.More() {
		n := len(*list)
		if n == biomarker.MaxBatch {
			return loop.Errorf(loop.ValidationError, "Send at most %d results at once.", biomarker.MaxBatch).About("biomarkers")
		}
		var raw json.RawMessage
		var one submittedResult
		err := decoder.Decode(&raw)
		if err == nil {
			err = one.read(raw)
		}
		if err != nil {
			return malformed(err, n)
		}
		*list = append(*list, one)
	}
	return nil
}

// submittedResult is a result as an app sends it, with the names of the answer's
// fields.
type submittedResult struct {
	Code         biomarker.Code       `json:"biomarker_code"`
	LOINC        string               `json:"loinc_code"`
	Value        biomarker.Decimal    `json:"value"`
	Comparator   biomarker.Comparator `json:"value_comparator"`
	Text         string               `json:"value_text"`
	Unit         string               `json:"unit"`
	Low          biomarker.Decimal    `json:"reference_low"`
	LowIncluded  *bool                `json:"reference_low_included"` // absent: it is
	High         biomarker.Decimal    `json:"reference_high"`
	HighIncluded *bool                `json:"reference_high_included"`
	Status       biomarker.Status     `json:"status"` // the laboratory's own flag
	Source       string               `json:"source"`
	CollectedAt  string               `json:"collected_at"`
}

func (s *submittedResult) incoming() biomarker.Incoming {
	return biomarker.Incoming{
		Code: s.Code, LOINC: s.LOINC, Comparator: s.Comparator, Value: s.Value, Text: s.Text, Unit: s.Unit,
		Range: biomarker.Range{
			Low: s.Low, LowExcluded: s.LowIncluded != nil && !*s.LowIncluded,
			High: s.High, HighExcluded: s.HighIncluded != nil && !*s.HighIncluded,
		},
		Flag: s.Status, Source: s.Source, Collected: s.CollectedAt,
	}
}

// submitBiomarkers answers POST /v1/biomarkers/me: an app adds results to the
// member's record. The answer has their ids alone: writing is no right to read.
func (h *Host) submitBiomarkers(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
	body, err := web.JSONBody(w, r, maxSubmissionBytes)
	if err != nil {
		return err
	}
	incoming, err := decodeSubmission(body)
	if err != nil {
		return err
	}
	once, err := h.once(r, token, body)
	if err != nil {
		return err
	}
	ids, err := h.Importer.Submit(r.Context(), token.Member, senderOf(token), incoming, once)
	if err != nil {
		return refusedOr(web.Unavailable, err)
	}
	return web.WriteJSON(w, http.StatusCreated, newSubmissionAnswer(ids))
}

// maxSubmissionBytes bounds a batch of results.
const maxSubmissionBytes = 1 << 20

func decodeSubmission(body []byte) ([]biomarker.Incoming, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields() // what is not understood is not dropped
	var sent submission
	if err := decoder.Decode(&sent); err != nil {
		return nil, notASubmission(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, loop.Errorf(loop.InvalidRequest, "The body goes on behind its JSON object. Send one object.")
	}
	incoming := make([]biomarker.Incoming, len(sent.Biomarkers))
	for i := range sent.Biomarkers {
		incoming[i] = sent.Biomarkers[i].incoming()
	}
	return incoming, nil
}

// notASubmission says what is wrong with a whole body.
func notASubmission(err error) error {
	if e, ok := errors.AsType[*loop.Error](err); ok { // of one of its results
		return e
	}
	if strings.HasPrefix(err.Error(), unknownField) {
		return loop.Errorf(loop.ValidationError, "The body has one field, biomarkers, the list of results.").About("biomarkers")
	}
	return loop.Errorf(loop.InvalidRequest, "The body is not well-formed JSON.").Because(err)
}

// unknownField begins what encoding/json says of a name that is not in a struct.
const unknownField = "json: unknown field "

// read reads one result, whose fields are each there once at most and spelt exactly:
// encoding/json would take Value for value, and the last of two.
func (s *submittedResult) read(raw json.RawMessage) error {
	if err := namedOnce(raw); err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	return decoder.Decode(s)
}

func namedOnce(raw json.RawMessage) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return loop.Errorf(loop.ValidationError, "A result is an object.")
	}
	seen := make(map[string]bool)
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		if seen[name] || strings.ToLower(name) != name {
			return loop.Errorf(loop.ValidationError, "A result has each field once, in lower case.").About(plainField(strings.ToLower(name)))
		}
		seen[name] = true
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return err
		}
	}
	return nil
}

// malformed says what is wrong with the form of the result at a place.
func malformed(err error, n int) error {
	place := fmt.Sprintf("biomarkers[%d]", n)
	if e, ok := errors.AsType[*loop.Error](err); ok {
		if e.Field == "" && e.Code == loop.ValidationError { // of a number, or of no object
			return e.About(place)
		}
		return e.About(place + "." + e.Field)
	}
	if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return loop.Errorf(loop.ValidationError, "This field has the wrong type.").About(place + "." + kind.Field)
	}
	if name, ok := strings.CutPrefix(err.Error(), unknownField); ok {
		return loop.Errorf(loop.ValidationError, "No result has a field of this name. The documentation lists the fields that can be sent.").About(place + "." + plainField(strings.Trim(name, `"`)))
	}
	return loop.Errorf(loop.InvalidRequest, "The body is not well-formed JSON.").Because(err)
}

// plainField repeats a field's name only where it is one.
func plainField(name string) string {
	if len(name) > 40 || strings.ContainsFunc(name, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') }) {
		return "?"
	}
	return name
}

// maxKeyLength bounds an Idempotency-Key.
const maxKeyLength = 255

// once reads the request's Idempotency-Key; nil without one.
func (h *Host) once(r *http.Request, token oauth.AccessToken, body []byte) (*biomarker.Submission, error) {
	keys := r.Header.Values("Idempotency-Key")
	if len(keys) == 0 {
		return nil, nil //nolint:nilnil // a batch without a key is never recognised
	}
	key := keys[0]
	if len(keys) > 1 || key == "" || len(key) > maxKeyLength || strings.ContainsFunc(key, func(c rune) bool { return c < ' ' || c > '~' }) {
		return nil, loop.Errorf(loop.InvalidRequest, "Send one Idempotency-Key of 1 to %d visible ASCII characters, or none.", maxKeyLength)
	}
	return biomarker.NewSubmission(h.World, token.Client, key, body), nil
}

func senderOf(token oauth.AccessToken) biomarker.Sender {
	return biomarker.Sender{Client: token.Client, Grant: token.Grant}
}

// submissionAnswer lists the ids in the order in which the results were sent.
type submissionAnswer struct {
	Results []submittedID `json:"results"`
	Count   int           `json:"count"`
}

type submittedID struct {
	ID loop.ResultID `json:"id"`
}

func newSubmissionAnswer(ids []loop.ResultID) submissionAnswer {
	answer := submissionAnswer{Results: make([]submittedID, len(ids)), Count: len(ids)}
	for i, id := range ids {
		answer.Results[i] = submittedID{id}
	}
	return answer
}

// retractBiomarker answers DELETE /v1/biomarkers/me/{id}: what an app sent by mistake
// is marked as entered in error and listed no more.
func (h *Host) retractBiomarker(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
	err := h.Importer.Retract(r.Context(), token.Member, senderOf(token), loop.ResultID(r.PathValue("id")))
	if errors.Is(err, loop.ErrNotFound) {
		return noSuchResult()
	}
	if err != nil {
		return refusedOr(web.Unavailable, fmt.Errorf("retracting a result: %w", err))
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
