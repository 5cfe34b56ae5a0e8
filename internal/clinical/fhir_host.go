package clinical

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/fhir"
	"github.com/loop-health/loop/internal/limit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
)

// FHIRPath is where FHIR's base address is on the host.
const FHIRPath = "/fhir"

// formatFHIR is the media type of FHIR in JSON.
const formatFHIR = "application/fhir+json"

// fhirHost answers FHIR R4: the same results as the platform's own API, by the same
// rules, in the form of a standard (https://hl7.org/fhir/R4/http.html).
type fhirHost struct {
	*Host
	base       string // FHIR's base address
	resources  *fhir.Resources
	capability []byte
}

func newFHIRHost(h *Host) *fhirHost {
	base := h.site.PublicURL.String() + FHIRPath
	f := &fhirHost{Host: h, base: base, resources: fhir.NewResources(base)}
	f.capability = f.newCapabilityStatement()
	return f
}

// mount adds the routes. Every fault below the base address is an OperationOutcome.
func (f *fhirHost) mount(resource *web.Resource) {
	f.site.ErrorsBelow(FHIRPath, operationOutcome)
	f.site.PublicAPI("GET "+FHIRPath+"/metadata", f.formatted(f.metadata))
	f.site.PublicAPI("GET "+FHIRPath+"/.well-known/smart-configuration", f.smartConfiguration)
	results := web.Access{Scope: loop.ScopeReadBiomarkers, Class: limit.Read}
	person := web.Access{Scope: loop.ScopeReadDemographics, Class: limit.Read}
	for _, route := range []struct {
		pattern string
		needs   web.Access
		handler web.ResourceHandler
	}{
		{"GET /Patient", person, f.searchPatients},
		{"GET /Patient/{id}", person, f.showPatient},
		{"GET /Patient/{id}/$everything", results, f.everything},
		{"GET /DiagnosticReport", results, f.searchReports},
		{"POST /DiagnosticReport/_search", results, f.searchReports},
		{"GET /DiagnosticReport/{id}", results, f.showReport},
		{"GET /Observation", results, f.searchObservations},
		{"POST /Observation/_search", results, f.searchObservations},
		{"GET /Observation/{id}", results, f.showObservation},
	} {
		method, path, _ := strings.Cut(route.pattern, " ")
		f.site.BrowserAPI(method+" "+FHIRPath+path, f.formatted(resource.Require(route.needs, route.handler)))
	}
}

// formatted lets a request through whose answer can have the format that it wants: by
// _format, which is stronger, or by Accept (https://hl7.org/fhir/R4/http.html#mime-type).
func (f *fhirHost) formatted(next web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Add("Vary", "Accept")
		kind, err := formatOf(r)
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", kind)
		return next(w, r)
	}
}

func formatOf(r *http.Request) (string, error) {
	values, err := web.Query(r, "_format")
	if err != nil {
		return "", err
	}
	switch values.Get("_format") {
	case "":
		return web.Negotiate(r, formatFHIR, formatJSON)
	case "json", formatJSON, formatFHIR, "text/json":
		return formatFHIR, nil
	default:
		return "", loop.Errorf(loop.NotAcceptable, "This server answers in JSON alone: _format=json.").About("_format")
	}
}

// write answers with a resource in the format that was agreed on.
func (f *fhirHost) write(w http.ResponseWriter, body []byte) {
	web.WriteAs(w, w.Header().Get("Content-Type"), http.StatusOK, body)
}

// writeResource answers with one resource, unless the app has it already. Its tag is
// of what is shown: a status can change with the catalogue.
func (f *fhirHost) writeResource(w http.ResponseWriter, r *http.Request, modified time.Time, body []byte) {
	sum := sha256.Sum256(body)
	etag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	w.Header().Set("ETag", "W/"+etag)
	if !modified.IsZero() {
		w.Header().Set("Last-Modified", modified.UTC().Format(http.TimeFormat))
	}
	if unchanged(r.Header.Get("If-None-Match"), etag) {
		w.Header().Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	f.write(w, body)
}

// parameters reads those of a search, from the address and, of a POST, the form.
func (f *fhirHost) parameters(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	values, err := web.Query(r)
	if err != nil || r.Method != http.MethodPost {
		return values, err
	}
	form, err := web.Form(w, r)
	if err != nil {
		return nil, err
	}
	for name, sent := range form {
		values[name] = append(values[name], sent...)
	}
	return values, nil
}

// fullURL is the address of a resource.
func (f *fhirHost) fullURL(kind, id string) string { return f.base + "/" + kind + "/" + id }

// links are those of a page of a search: to itself and to the next one. They are
// absolute, name the patient, and do not go by the request's Host.
func (f *fhirHost) links(path string, parameters url.Values, cursor, next string) []fhir.Link {
	address := func(cursor string) string {
		if cursor != "" {
			parameters.Set(fhir.ParamCursor, cursor)
		} else {
			parameters.Del(fhir.ParamCursor)
		}
		if query := parameters.Encode(); query != "" {
			return f.base + path + "?" + query
		}
		return f.base + path
	}
	links := []fhir.Link{{Relation: "self", URL: address(cursor)}}
	if next != "" {
		links = append(links, fhir.Link{Relation: "next", URL: address(next)})
	}
	return links
}

// observation is an entry of a Bundle.
func (f *fhirHost) observation(member loop.MemberID, r *biomarker.Judged, mode string) fhir.Match {
	return fhir.Match{FullURL: f.fullURL(fhir.TypeObservation, fhir.ObservationID(r.ID)), Resource: f.resources.Observation(member, r), Mode: mode}
}
