package clinical_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/fhir"
	"github.com/loop-health/loop/internal/loop"
)

const (
	fhirBase    = "https://clinical.platform.loop.health/fhir"
	observation = "/fhir/Observation"
	annasFHIR   = "user-01KAXYZ0000000000000000000"
	bensFHIR    = "user-01KAXYZ0000000000000000001"
)

// bundle reads an answer to a search.
type bundle struct {
	fhir.Bundle
	Observations []fhir.Observation
	Outcomes     []fhir.OperationOutcome
}

func readBundle(t *testing.T, w *httptest.ResponseRecorder) bundle {
	t.Helper()
	var b bundle
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &b.Bundle); err != nil || b.ResourceType != "Bundle" || b.Type != "searchset" {
		t.Fatalf("%v: %s", err, w.Body)
	}
	for _, entry := range b.Entry {
		var o fhir.Observation
		var outcome fhir.OperationOutcome
		if err := json.Unmarshal(entry.Resource, &o); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(entry.Resource, &outcome); err != nil {
			t.Fatal(err)
		}
		if o.ResourceType == fhir.TypeObservation {
			b.Observations = append(b.Observations, o)
		} else {
			b.Outcomes = append(b.Outcomes, outcome)
		}
	}
	return b
}

func (b *bundle) link(relation string) string {
	for _, link := range b.Link {
		if link.Relation == relation {
			return link.URL
		}
	}
	return ""
}

// outcome reads the one issue of a fault.
func outcome(t *testing.T, w *httptest.ResponseRecorder) fhir.Issue {
	t.Helper()
	var o fhir.OperationOutcome
	if err := json.Unmarshal(w.Body.Bytes(), &o); err != nil || o.ResourceType != "OperationOutcome" || len(o.Issue) != 1 || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/fhir+json") {
		t.Fatalf("%d, %v, %q: %s", w.Code, err, w.Header().Get("Content-Type"), w.Body)
	}
	return o.Issue[0]
}

// postForm sends a form.
func (h *host) postForm(path, token, form string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "https://clinical.platform.loop.health"+path, strings.NewReader(form))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// glucoseOf is a result with a value and a time.
func glucoseOf(t *testing.T, id loop.ResultID, value, unit string, at time.Time, precision biomarker.Precision) biomarker.Result {
	t.Helper()
	return biomarker.Result{ID: id, Code: "glucose", Value: decimal(t, value), Unit: unit, Source: "quest", CollectedAt: at, Precision: precision, ParsedAt: now.Add(-time.Hour)}
}

func day(d int) time.Time { return time.Date(2026, 2, d, 0, 0, 0, 0, time.UTC) }

func TestFHIR_AnObservationIsWhatTheLaboratoryReported(t *testing.T) {
	h := newHost(t)
	h.add(t, anna,
		glucoseOf(t, "bmk_01KAXYZ0000000000000000001", "99.0", "mg/dL", day(3).Add(8*time.Hour), biomarker.ToTheMoment),
		glucoseOf(t, "bmk_01KAXYZ0000000000000000002", "5.60", "mmol/L", day(2), biomarker.ToTheDay),
	)
	w := h.send(http.MethodGet, observation+"/bmk-01KAXYZ0000000000000000001", annasToken)
	want := `{"resourceType":"Observation","id":"bmk-01KAXYZ0000000000000000001","meta":{"lastUpdated":"2026-03-10T10:00:00Z","profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-lab"]},` +
		`"status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],` +
		`"code":{"coding":[{"system":"http://loinc.org","code":"2345-7"},{"system":"https://clinical.platform.loop.health/fhir/CodeSystem/biomarker","code":"glucose","display":"Glucose"}],"text":"Glucose"},` +
		`"subject":{"reference":"Patient/user-01KAXYZ0000000000000000000"},"effectiveDateTime":"2026-02-03T08:00:00Z","issued":"2026-03-10T10:00:00Z","performer":[{"display":"quest"}],` +
		`"valueQuantity":{"value":99.0,"unit":"mg/dL","system":"http://unitsofmeasure.org","code":"mg/dL"},`
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), want) || w.Header().Get("Content-Type") != "application/fhir+json" {
		t.Errorf("%d %q\n got %s\nwant %s", w.Code, w.Header().Get("Content-Type"), w.Body, want)
	}
	si := h.send(http.MethodGet, observation+"/bmk-01KAXYZ0000000000000000002", annasToken).Body.String()
	for _, part := range []string{`"value":5.60,"unit":"mmol/L"`, `"code":"14749-6"`, `"effectiveDateTime":"2026-02-02"`} {
		if !strings.Contains(si, part) {
			t.Errorf("%s is not in %s", part, si)
		}
	}
	if etag := w.Header().Get("ETag"); !strings.HasPrefix(etag, `W/"`) || w.Header().Get("Last-Modified") != "Tue, 10 Mar 2026 10:00:00 GMT" {
		t.Errorf("%q %q", etag, w.Header().Get("Last-Modified"))
	} else if again := h.send(http.MethodGet, observation+"/bmk-01KAXYZ0000000000000000001", annasToken, http.Header{"If-None-Match": {etag}}); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
		t.Errorf("with the tag: %d %s", again.Code, again.Body)
	}
}

func TestFHIR_SearchFindsByWhatUSCoreDemands(t *testing.T) {
	h := newHost(t)
	h.add(t, anna,
		glucoseOf(t, "bmk_01KAXYZ0000000000000000001", "99", "mg/dL", day(3).Add(8*time.Hour), biomarker.ToTheMoment),
		glucoseOf(t, "bmk_01KAXYZ0000000000000000002", "5.6", "mmol/L", day(2), biomarker.ToTheDay),
		biomarker.Result{ID: "bmk_01KAXYZ0000000000000000003", Code: "tsh", Value: decimal(t, "2.4"), Unit: "m[IU]/L", Source: "quest", CollectedAt: day(1), ParsedAt: now},
	)
	h.add(t, ben, glucoseOf(t, "bmk_01KAXYZ0000000000000000009", "88", "mg/dL", day(3), biomarker.ToTheMoment))
	for query, want := range map[string]string{
		"": "123", "patient=" + annasFHIR: "123", "patient=Patient/" + annasFHIR: "123", "subject=Patient/" + annasFHIR: "123",
		"category=laboratory": "123", "category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory": "123",
		"category=http://terminology.hl7.org/CodeSystem/observation-category|": "123",
		"category=vital-signs": "", "category=vital-signs,laboratory": "123", "category=other|laboratory": "", "category=laboratory&category=vital-signs": "",
		"code=http://loinc.org|3016-3": "3", "code=3016-3": "3", "code=2345-7": "1", "code=14749-6": "2", "code=2345-7,14749-6": "12", "code=http://loinc.org|2345-7,3016-3": "13",
		"code=glucose": "12", "code=" + fhirBase + "/CodeSystem/biomarker|glucose": "12", "code=http://loinc.org|glucose": "", "code=|3016-3": "", "code=99999-9": "",
		"code=glucose&code=2345-7": "1", "code=glucose&code=tsh": "",
		"date=2026-02-02": "2", "date=eq2026-02": "123", "date=2026": "123", "date=ne2026-02-02": "13", "date=gt2026-02-02": "1", "date=ge2026-02-02": "12",
		"date=lt2026-02-02": "3", "date=le2026-02-02": "23", "date=sa2026-02-02": "1", "date=eb2026-02-02": "3",
		"date=ge2026-02-02&date=lt2026-02-03": "2", "date=2026-02-03T08:00": "1", "date=2026-02-03T08:00:00Z": "1", "date=2026-02-03T09:00:00%2B01:00": "1",
		"date=gt2026-02-02T12:00:00Z": "12", "date=lt2026-02-02T12:00:00Z": "23", "date=2026-02-02T12:00:00Z": "", "date=2026-02-01,2026-02-02": "23",
		"date=ge2026-02-05&date=lt2026-02-03": "", "status=final": "123", "status=final,amended": "123", "status=preliminary": "",
		"_id=bmk-01KAXYZ0000000000000000002": "2", "_id=bmk-01KAXYZ0000000000000000002,bmk-01KAXYZ0000000000000000001,nothing": "12",
		"_id=bmk-01KAXYZ0000000000000000009": "", "_id=bmk_01KAXYZ0000000000000000002": "", "_id=bmk-01KAXYZ0000000000000000002&code=tsh": "", "_id=bmk-01KAXYZ0000000000000000002&date=gt2026-02-02": "",
		"_lastUpdated=ge2026-03-10T11:00:00Z": "3", "_lastUpdated=lt2026-03-10T11:00:00Z": "12",
		"patient=" + annasFHIR + "&category=laboratory&date=ge2026-02-02&status=final&code=2345-7&_sort=-date&_format=json&_pretty=true": "1",
	} {
		address := observation + "?" + strings.ReplaceAll(query, "|", "%7C")
		b := readBundle(t, h.send(http.MethodGet, address, annasToken))
		got := ""
		for _, o := range b.Observations {
			got += o.ID[len(o.ID)-1:]
		}
		if got != want {
			t.Errorf("%s finds %q, not %q", query, got, want)
		}
		if posted := readBundle(t, h.postForm(observation+"/_search", annasToken, strings.ReplaceAll(query, "|", "%7C"))); len(posted.Observations) != len(b.Observations) || posted.link("self") != b.link("self") {
			t.Errorf("%s by POST finds %d, not %d", query, len(posted.Observations), len(b.Observations))
		}
	}
}

func TestFHIR_ASearchThatIsNotUnderstoodIsRefusedByName(t *testing.T) {
	h := newHost(t)
	for query, field := range map[string]string{
		"subject:Patient=x": "subject:Patient", "code:in=x": "code:in", "color=red": "color", "_include=Observation:patient": "_include", "%3Cb%3E=x": "of this name",
		"date=yesterday": "date", "date=ap2026": "date", "date=2026-02-30": "date", "date=2026-13": "date", "date=2026-02-03T08:00:00+01:00": "date", "date=": "date",
		"_count=-1": "_count", "_count=x": "_count", "_count=1e3": "_count", "_count=5&_count=6": "_count", "_sort=date": "_sort", "_sort=code": "_sort",
		"_summary=true": "_summary", "_total=maybe": "_total", "_cursor=AAAA": "cursor", "_cursor=": "_cursor", "code=": "code", "_lastUpdated=x": "_lastUpdated",
	} {
		w := h.send(http.MethodGet, observation+"?"+query, annasToken)
		if issue := outcome(t, w); w.Code != http.StatusBadRequest || issue.Severity != "error" || issue.Code != "value" || !slices.Equal(issue.Expression, []string{field}) {
			t.Errorf("%s: %d %+v", query, w.Code, issue)
		}
	}
}

func TestFHIR_PagesHoldEachResultOnceWhateverArrives(t *testing.T) {
	h := newHost(t)
	count := h.addHistory(t, anna)
	seen := map[string]bool{}
	address := observation + "?patient=" + annasFHIR + "&category=laboratory&_count=50"
	for pages := 0; address != ""; pages++ {
		b := readBundle(t, h.send(http.MethodGet, address, annasToken))
		if len(b.Observations) > 50 || b.Total != nil {
			t.Fatalf("%d on a page, total %v", len(b.Observations), b.Total)
		}
		for i, o := range b.Observations {
			if seen[o.ID] {
				t.Errorf("%s is there twice", o.ID)
			}
			seen[o.ID] = true
			if b.Entry[i].FullURL != fhirBase+"/Observation/"+o.ID || b.Entry[i].Search.Mode != "match" {
				t.Errorf("%+v", b.Entry[i])
			}
		}
		next := b.link("next")
		if next != "" && (!strings.HasPrefix(next, fhirBase+"/Observation?") || !strings.Contains(next, "patient="+annasFHIR)) {
			t.Fatalf("next is %s", next)
		}
		address = strings.TrimPrefix(next, "https://clinical.platform.loop.health")
		h.add(t, anna, glucoseOf(t, loop.NewResultID(loop.Machine{}), "90", "mg/dL", day(pages+1), biomarker.ToTheMoment))
	}
	if len(seen) != count {
		t.Errorf("%d results were seen, of %d", len(seen), count)
	}
}

func TestFHIR_TheNumberOfResults(t *testing.T) {
	h := newHost(t)
	count := h.addHistory(t, anna)
	for query, entries := range map[string]int{"_count=0": 0, "_summary=count": 0, "_total=accurate&_count=3": 3, "_count=3&_total=estimate": 3} {
		b := readBundle(t, h.send(http.MethodGet, observation+"?"+query, annasToken))
		if b.Total == nil || *b.Total != count || len(b.Observations) != entries || entries == 0 && b.link("next") != "" {
			t.Errorf("%s: %v of %d, %d entries", query, b.Total, count, len(b.Observations))
		}
	}
	none := h.send(http.MethodGet, observation+"?code=99999-9&_summary=count", annasToken)
	if b := readBundle(t, none); b.Total == nil || *b.Total != 0 || strings.Contains(none.Body.String(), "entry") {
		t.Errorf("nothing: %s", none.Body)
	}
}

func TestFHIR_ALargePageIsLoweredAndSaysSo(t *testing.T) {
	h := newHost(t)
	h.addHistory(t, anna)
	b := readBundle(t, h.send(http.MethodGet, observation+"?_count=1000", annasToken))
	if len(b.Outcomes) != 1 || b.Outcomes[0].Issue[0].Severity != "warning" || b.Entry[0].Search.Mode != "outcome" || !strings.Contains(b.link("self"), "_count=500") {
		t.Errorf("%+v %+v", b.Outcomes, b.Link)
	}
}

func TestFHIR_EveryFaultIsAnOperationOutcome(t *testing.T) {
	h := newHost(t)
	h.add(t, ben, glucoseOf(t, "bmk_01KAXYZ0000000000000000009", "88", "mg/dL", day(3), biomarker.ToTheMoment))
	for _, test := range []struct {
		method, path, token string
		header              http.Header
		status              int
		code                string
	}{
		{http.MethodGet, observation, "", nil, 401, "login"},
		{http.MethodGet, observation, "lph_at_unknown", nil, 401, "security"},
		{http.MethodGet, observation, narrow, nil, 403, "forbidden"},
		{http.MethodGet, observation, writers, nil, 403, "forbidden"},
		{http.MethodGet, "/fhir/Patient/" + annasFHIR, narrow, nil, 403, "forbidden"},
		{http.MethodGet, observation + "/bmk-01KAXYZ0000000000000000009", annasToken, nil, 404, "not-found"},
		{http.MethodGet, observation + "/bmk-01KAXYZ0000000000000000008", annasToken, nil, 404, "not-found"},
		{http.MethodGet, observation + "/bmk_01KAXYZ0000000000000000009", bensToken, nil, 404, "not-found"},
		{http.MethodGet, observation + "/x", annasToken, nil, 404, "not-found"},
		{http.MethodGet, observation + "?patient=" + bensFHIR, annasToken, nil, 404, "not-found"},
		{http.MethodGet, observation + "?patient=user-01KAXYZ0000000000000000007", annasToken, nil, 404, "not-found"},
		{http.MethodGet, observation + "?patient=" + annasFHIR + "," + bensFHIR, annasToken, nil, 404, "not-found"},
		{http.MethodGet, observation + "?patient=" + annasFHIR + "&patient=" + bensFHIR, annasToken, nil, 404, "not-found"},
		{http.MethodGet, "/fhir/Patient/" + bensFHIR, annasToken, nil, 404, "not-found"},
		{http.MethodGet, "/fhir/Patient/user_01KAXYZ0000000000000000000", annasToken, nil, 404, "not-found"},
		{http.MethodGet, "/fhir/Condition", annasToken, nil, 404, "not-found"},
		{http.MethodGet, "/fhir", annasToken, nil, 404, "not-found"},
		{http.MethodGet, "/fhir/../fhir/Observation", annasToken, nil, 404, "not-found"},
		{http.MethodPost, observation, annasToken, nil, 405, "not-supported"},
		{http.MethodDelete, observation + "/bmk-01KAXYZ0000000000000000009", bensToken, nil, 405, "not-supported"},
		{http.MethodGet, observation, annasToken, http.Header{"Accept": {"application/fhir+xml"}}, 406, "not-supported"},
		{http.MethodGet, observation + "?_format=xml", annasToken, nil, 406, "not-supported"},
		{http.MethodGet, "/fhir/metadata?_format=application/fhir%2Bxml", "", nil, 406, "not-supported"},
		{http.MethodGet, observation + "?code=%zz", annasToken, nil, 400, "invalid"},
		{http.MethodPost, observation + "/_search", annasToken, http.Header{"Content-Type": {"application/json"}}, 400, "invalid"},
		{http.MethodGet, "/fhir/Patient?name=Anna", annasToken, nil, 400, "value"},
	} {
		w := h.send(test.method, test.path, test.token, test.header)
		if issue := outcome(t, w); w.Code != test.status || issue.Code != test.code || issue.Severity != "error" || issue.Details.Text == "" || !strings.Contains(issue.Diagnostics, "req_") {
			t.Errorf("%s %s: %d %+v", test.method, test.path, w.Code, issue)
		}
	}
	if other := read(t, h.send(http.MethodGet, "/v1/nothing", annasToken)); other.Error != loop.NotFound {
		t.Errorf("outside of FHIR an error is %+v", other)
	}
}

func TestFHIR_TheFormatIsTheOneThatIsAskedFor(t *testing.T) {
	h := newHost(t)
	for accept, want := range map[string]string{
		"": "application/fhir+json", "*/*": "application/fhir+json", "application/json": "application/json", "application/fhir+json": "application/fhir+json",
		"application/fhir+json;fhirVersion=4.0": "application/fhir+json", "application/fhir+xml;q=0.9, application/json;q=0.8": "application/json", "text/html, */*;q=0.1": "application/fhir+json",
	} {
		header := http.Header{}
		if accept != "" {
			header.Set("Accept", accept)
		}
		for _, path := range []string{observation, "/fhir/metadata", "/fhir/Patient/" + annasFHIR} {
			if w := h.send(http.MethodGet, path, annasToken, header); w.Code != http.StatusOK || w.Header().Get("Content-Type") != want {
				t.Errorf("%s with %q: %d %q", path, accept, w.Code, w.Header().Get("Content-Type"))
			}
		}
	}
	for _, format := range []string{"json", "application/json", "application/fhir%2Bjson"} {
		w := h.send(http.MethodGet, observation+"?_format="+format, annasToken, http.Header{"Accept": {"application/xml"}})
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/fhir+json" {
			t.Errorf("_format=%s: %d %q", format, w.Code, w.Header().Get("Content-Type"))
		}
	}
}

func TestFHIR_APatientIsTheMember(t *testing.T) {
	h := newHost(t)
	want := `{"resourceType":"Patient","id":"user-01KAXYZ0000000000000000000","meta":{"profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient"]},` +
		`"identifier":[{"system":"https://clinical.platform.loop.health/fhir/NamingSystem/member","value":"user_01KAXYZ0000000000000000000"}],"active":true,` +
		`"name":[{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"unknown"}],"text":"Anna"}],"gender":"female"}`
	if w := h.send(http.MethodGet, "/fhir/Patient/"+annasFHIR, annasToken); w.Code != http.StatusOK || w.Body.String() != want {
		t.Errorf("%d\n got %s\nwant %s", w.Code, w.Body, want)
	}
	for query, found := range map[string]int{
		"": 1, "?_id=" + annasFHIR: 1, "?_id=x," + annasFHIR: 1, "?_id=" + bensFHIR: 0, "?identifier=" + string(anna): 1,
		"?identifier=" + fhirBase + "/NamingSystem/member%7C" + string(anna): 1, "?identifier=" + string(ben): 0, "?_id=" + annasFHIR + "&identifier=x": 0,
	} {
		var b fhir.Bundle
		w := h.send(http.MethodGet, "/fhir/Patient"+query, annasToken)
		if err := json.Unmarshal(w.Body.Bytes(), &b); err != nil || w.Code != http.StatusOK || len(b.Entry) != found {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
	if records := h.recorded(t, audit.DemographicsRead); len(records) < 2 || records[0].Client != "client_A" || records[0].Member != string(anna) || records[0].Grant != "grant_A" {
		t.Errorf("the record has %+v", records)
	}
}

func TestFHIR_EveryReadIsRecordedBeforeItIsAnswered(t *testing.T) {
	h := newHost(t)
	count := h.addHistory(t, anna)
	b := readBundle(t, h.send(http.MethodGet, observation+"?_count=500&date=ge2020&code=http://loinc.org%7C3016-3,tsh", annasToken))
	records := h.recorded(t, audit.BiomarkersRead)
	if len(records) != 1 || records[0].Detail != `{"count":"`+strconv.Itoa(len(b.Observations))+`","filters":"code date"}` || len(b.Observations) == 0 {
		t.Errorf("%d of %d results were read, the record has %+v", len(b.Observations), count, records)
	}
	h.records.fail = loop.Errorf(loop.TemporarilyUnavailable, "The store does not answer.")
	for _, path := range []string{observation, observation + "/" + b.Observations[0].ID, "/fhir/Patient/" + annasFHIR, "/fhir/Patient"} {
		w := h.send(http.MethodGet, path, annasToken)
		if issue := outcome(t, w); w.Code != http.StatusServiceUnavailable || issue.Code != "transient" || strings.Contains(w.Body.String(), "valueQuantity") {
			t.Errorf("%s without a record: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestSec321_NothingOfAnotherMemberComesThroughFHIR(t *testing.T) {
	h := newHost(t)
	h.addHistory(t, anna)
	bens := h.addHistory(t, ben)
	own := readBundle(t, h.send(http.MethodGet, observation+"?_count=500", bensToken))
	if len(own.Observations) != bens {
		t.Fatalf("Ben reads %d of his %d results", len(own.Observations), bens)
	}
	const absent = "bmk-01KAXYZ0000000000000000000"
	none := h.send(http.MethodGet, observation+"/"+absent, annasToken)
	for _, o := range own.Observations {
		w := h.send(http.MethodGet, observation+"/"+o.ID, annasToken)
		if w.Code != http.StatusNotFound || outcome(t, w).Details.Text != outcome(t, none).Details.Text {
			t.Fatalf("Ben's %s: %d %s", o.ID, w.Code, w.Body)
		}
		if found := readBundle(t, h.send(http.MethodGet, observation+"?_id="+o.ID, annasToken)); len(found.Entry) > 0 {
			t.Fatalf("Ben's %s is found by _id", o.ID)
		}
	}
	first := readBundle(t, h.send(http.MethodGet, observation+"?_count=3&code=tsh,glucose,hba1c,ldl-c", bensToken))
	next := strings.TrimPrefix(first.link("next"), "https://clinical.platform.loop.health")
	if next == "" {
		t.Fatal("Ben's results are on one page")
	}
	for name, path := range map[string]string{
		"his page's link": next, "his cursor with other filters": strings.Replace(next, "code=", "code=hdl-c%2C", 1),
		"his patient": observation + "?patient=" + bensFHIR, "as a subject": observation + "?subject=Patient/" + bensFHIR,
		"beside her own": observation + "?patient=" + annasFHIR + "&patient=" + bensFHIR, "in a list": observation + "?patient=" + annasFHIR + "," + bensFHIR,
		"by an address": observation + "?patient=" + fhirBase + "/Patient/" + bensFHIR, "himself": "/fhir/Patient/" + bensFHIR, "all of his": "/fhir/Patient/" + bensFHIR + "/$everything",
	} {
		w := h.send(http.MethodGet, path, annasToken)
		if w.Code != http.StatusNotFound && w.Code != http.StatusBadRequest || strings.Contains(w.Body.String(), "bmk-") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if w := h.postForm(observation+"/_search?patient="+annasFHIR, annasToken, "patient="+bensFHIR); w.Code != http.StatusNotFound {
		t.Errorf("by POST, beside her own in the address: %d %s", w.Code, w.Body)
	}
	if w := h.send(http.MethodGet, next, bensToken); w.Code != http.StatusOK {
		t.Errorf("Ben's own link: %d %s", w.Code, w.Body)
	}
}

func TestFHIR_AReportIsTheResultsOfOneSample(t *testing.T) {
	h := newHost(t)
	count := h.addHistory(t, anna)
	h.addHistory(t, ben)
	seen, results := map[string]bool{}, 0
	address := "/fhir/DiagnosticReport?patient=" + annasFHIR + "&category=LAB&_count=2"
	for address != "" {
		b := readBundle(t, h.send(http.MethodGet, address, annasToken))
		if len(b.Entry) > 2 {
			t.Fatalf("%d reports on a page", len(b.Entry))
		}
		for _, entry := range b.Entry {
			var report fhir.DiagnosticReport
			if err := json.Unmarshal(entry.Resource, &report); err != nil || report.ResourceType != "DiagnosticReport" || seen[report.ID] {
				t.Fatalf("%v, or twice: %s", err, entry.Resource)
			}
			seen[report.ID] = true
			results += len(report.Result)
			one := h.send(http.MethodGet, "/fhir/DiagnosticReport/"+report.ID, annasToken)
			if one.Code != http.StatusOK || one.Body.String() != string(entry.Resource) {
				t.Errorf("by its id: %d %s", one.Code, one.Body)
			}
			if other := h.send(http.MethodGet, "/fhir/DiagnosticReport/"+strings.Replace(report.ID, "synthetic", "another", 1), annasToken); other.Code != http.StatusNotFound {
				t.Errorf("of another laboratory: %d", other.Code)
			}
		}
		address = strings.TrimPrefix(b.link("next"), "https://clinical.platform.loop.health")
	}
	if results != count || len(seen) != 5 {
		t.Errorf("%d reports hold %d of %d results", len(seen), results, count)
	}
	for query, want := range map[string]int{"_count=0": 0, "code=11502-2": 5, "code=3016-3": 0, "category=laboratory": 0, "status=final": 5, "date=lt2000": 0, "_id=x": 0} {
		b := readBundle(t, h.send(http.MethodGet, "/fhir/DiagnosticReport?"+query, annasToken))
		if len(b.Entry) != want || query == "_count=0" && (b.Total == nil || *b.Total != 5) {
			t.Errorf("%s: %d, %v", query, len(b.Entry), b.Total)
		}
	}
	for _, query := range []string{"_lastUpdated=2026", "_cursor=x", "_cursor=AAAA-", "result=x"} {
		if w := h.send(http.MethodGet, "/fhir/DiagnosticReport?"+query, annasToken); w.Code != http.StatusBadRequest || outcome(t, w).Code != "value" {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
}

func TestFHIR_EverythingIsTheMembersOwn(t *testing.T) {
	h := newHost(t)
	count := h.addHistory(t, anna)
	all, patients := 0, 0
	for address := "/fhir/Patient/" + annasFHIR + "/$everything?_count=50"; address != ""; {
		b := readBundle(t, h.send(http.MethodGet, address, annasToken))
		all, patients = all+len(b.Observations), patients+len(b.Outcomes)
		address = strings.TrimPrefix(b.link("next"), "https://clinical.platform.loop.health")
	}
	if all != count || patients != 1 {
		t.Errorf("%d of %d results, %d patients", all, count, patients)
	}
	if w := h.send(http.MethodGet, "/fhir/Patient/"+annasFHIR+"/$everything?code=tsh", annasToken); w.Code != http.StatusBadRequest {
		t.Errorf("with a filter: %d %s", w.Code, w.Body)
	}
}
