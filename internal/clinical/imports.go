package clinical

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/intake"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/web"
)

// maxImportBytes bounds a file that is sent: it is read twice, from memory.
const maxImportBytes = 8 << 20

// importTypes are the types that a file can have. Which format it is in shows in the
// file itself.
var importTypes = []string{
	"application/fhir+json", "application/json", "application/fhir+ndjson", "application/ndjson", "application/x-ndjson",
	"application/hl7-v2", "x-application/hl7-v2+er7", "text/csv", "application/zip", "application/octet-stream",
}

// importFile answers POST /v1/imports: an app adds the results of a file to the
// member's record.
func (h *Host) importFile(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
	options, err := importOptions(r, token.Member)
	if err != nil {
		return err
	}
	body, err := readImport(w, r)
	if err != nil {
		return err
	}
	by := intake.Sender{Actor: audit.Actor{Kind: audit.ByClient, ID: string(token.Client)}, Client: token.Client, Grant: token.Grant}
	file := intake.File{Name: "file", Size: int64(len(body)), ReaderAt: bytes.NewReader(body)}
	report, err := h.Imports.ImportSent(r.Context(), by, file, options)
	if err != nil {
		return refusedOr(web.Unavailable, err)
	}
	return web.WriteJSON(w, http.StatusOK, newImportAnswer(&report, options.DryRun))
}

// importOptions reads the query: source, dry_run and time_zone.
func importOptions(r *http.Request, member loop.MemberID) (intake.Options, error) {
	query := r.URL.Query()
	options := intake.Options{Member: member, Source: query.Get("source")}
	for name, values := range query {
		if !slices.Contains([]string{"source", "dry_run", "time_zone"}, name) || len(values) > 1 {
			return options, loop.Errorf(loop.ValidationError, "The parameters are source, dry_run and time_zone, each once.")
		}
	}
	if err := biomarker.CheckSource(options.Source); err != nil {
		return options, err
	}
	switch query.Get("dry_run") {
	case "", "false":
	case "true":
		options.DryRun = true
	default:
		return options, loop.Errorf(loop.ValidationError, "dry_run is true or false.").About("dry_run")
	}
	if name := query.Get("time_zone"); name != "" {
		zone, err := time.LoadLocation(name)
		if err != nil || name == "Local" {
			return options, loop.Errorf(loop.ValidationError, "time_zone is the name of a time zone, such as Europe/Berlin.").About("time_zone")
		}
		options.Zone = zone
	}
	return options, nil
}

func readImport(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || !slices.Contains(importTypes, kind) {
		return nil, loop.Errorf(loop.UnsupportedMediaType, "Send a file of FHIR (application/fhir+json, application/fhir+ndjson), HL7 v2 (application/hl7-v2), CSV (text/csv) or a zip of them (application/zip).")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxImportBytes))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, loop.Errorf(loop.PayloadTooLarge, "A file has at most %d MB. Send less at once.", maxImportBytes>>20)
	}
	if err != nil {
		return nil, loop.Errorf(loop.InvalidRequest, "The body ended before it was complete. Send it again.").Because(err)
	}
	return body, nil
}

// importAnswer says what became of a file.
type importAnswer struct {
	DryRun  bool                  `json:"dry_run"`
	Counts  map[intake.Kind]int64 `json:"counts"`
	Skipped int                   `json:"skipped"`
	Places  []importPlace         `json:"places"`
	More    int                   `json:"more_places"`
}

// importPlace is a place of the file of which no result was kept, or one aside.
type importPlace struct {
	Place   string      `json:"place"`
	Outcome intake.Kind `json:"outcome"`
	Reason  string      `json:"reason,omitempty"`
	System  string      `json:"code_system,omitempty"` // of a code that nobody knows
	Code    string      `json:"code,omitempty"`
}

func newImportAnswer(report *intake.Report, dryRun bool) importAnswer {
	answer := importAnswer{DryRun: dryRun, Counts: make(map[intake.Kind]int64), Skipped: report.Skipped, Places: []importPlace{}, More: report.More}
	for _, kind := range intake.Kinds() {
		answer.Counts[kind] = report.Counts[kind]
	}
	for _, line := range report.Lines {
		answer.Places = append(answer.Places, importPlace{line.Place, line.Kind, line.Reason, line.Name.System, line.Name.Code})
	}
	return answer
}
