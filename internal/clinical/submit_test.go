package clinical_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

// post sends a batch of JSON.
func (h *host) post(token, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "https://clinical.platform.loop.health"+me, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const glucose = `{"loinc_code":"2345-7","value":5.50,"unit":"mmol/l","reference_high":5.6,"reference_high_included":false,"source":"my-meter","collected_at":"2026-03-02"}`

// submitted reads the ids that an answer has.
func submitted(t *testing.T, w *httptest.ResponseRecorder) []loop.ResultID {
	t.Helper()
	var answer struct {
		Results []struct{ ID loop.ResultID }
		Count   int
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusCreated || answer.Count != len(answer.Results) {
		t.Fatalf("it is answered %d %s", w.Code, w.Body)
	}
	var ids []loop.ResultID
	for _, r := range answer.Results {
		ids = append(ids, r.ID)
	}
	return ids
}

func TestSubmittedResultsAreReadBackAsTheyWereSent(t *testing.T) {
	h := newHost(t)
	ids := submitted(t, h.post(writers, `{"biomarkers":[`+glucose+`,{"biomarker_code":"urine-protein-strip","value_text":"Negative","source":"my-lab","collected_at":"2026-03-01T08:00:00Z"}]}`))
	body := h.send(http.MethodGet, me+"?unit_system=si", annasToken).Body.String()
	for _, part := range []string{
		`"id":"` + string(ids[0]) + `"`, `"value":5.50,"value_kind":"quantity","value_text":null,"value_comparator":null,"unit":"mmol/L","unit_system":"si","original":null,`,
		`"reference_high":5.6,"reference_high_included":false,"status":"normal","status_rule":"laboratory_interval"`, `"source":"my-meter","collected_at":"2026-03-02",`,
		`"id":"` + string(ids[1]) + `"`, `"value":null,"value_kind":"ordinal","value_text":"Negative","value_comparator":null,"unit":null,"unit_system":null,`,
		`"status":"normal","status_rule":"catalogue_values"`,
	} {
		if !strings.Contains(body, part) {
			t.Errorf("the list lacks %s:\n%s", part, body)
		}
	}
	if records := h.recorded(t, audit.BiomarkersImported); len(records) != 1 || records[0].Client != "client_B" || records[0].Grant != "grant_C" || records[0].Detail != `{"count":"2"}` {
		t.Errorf("it is recorded as %+v", records)
	}
}

func TestSubmitRefusesAllOrNothing(t *testing.T) {
	h := newHost(t)
	batch := func(results ...string) string { return `{"biomarkers":[` + strings.Join(results, ",") + `]}` }
	many := make([]string, 501)
	for i := range many {
		many[i] = glucose
	}
	for name, test := range map[string]struct {
		body    string
		headers []string
		status  int
		field   string
	}{
		"no results":                    {batch(), nil, 400, "biomarkers"},
		"too many":                      {batch(many...), nil, 400, "biomarkers"},
		"a bad one behind a good one":   {batch(glucose, strings.Replace(glucose, "mmol/l", "mEq/L", 1)), nil, 400, "biomarkers[1].unit"},
		"a field that no result has":    {batch(strings.Replace(glucose, `"source"`, `"laboratory"`, 1)), nil, 400, "biomarkers[0].laboratory"},
		"a field with a strange name":   {batch(strings.Replace(glucose, `"source"`, `"\u0000<b>"`, 1)), nil, 400, "biomarkers[0].?"},
		"a number as text":              {batch(strings.Replace(glucose, "5.50", `"5.50"`, 1)), nil, 400, "biomarkers[0]"},
		"a number beyond measurement":   {batch(strings.Replace(glucose, "5.50", "1e99", 1)), nil, 400, "biomarkers[0]"},
		"a text for a truth":            {batch(strings.Replace(glucose, "false", `"no"`, 1)), nil, 400, "biomarkers[0].reference_high_included"},
		"a field twice":                 {batch(strings.Replace(glucose, `"value"`, `"value":51,"value"`, 1)), nil, 400, "biomarkers[0].value"},
		"a field in capitals":           {batch(strings.Replace(glucose, `"value"`, `"VALUE"`, 1)), nil, 400, "biomarkers[0].value"},
		"a result that is no object":    {batch("5"), nil, 400, "biomarkers[0]"},
		"results that are no list":      {`{"biomarkers":{}}`, nil, 400, "biomarkers"},
		"another field beside the list": {`{"biomarkers":[],"patient_id":"x"}`, nil, 400, "biomarkers"},
		"no JSON":                       {"value=5", nil, 400, ""},
		"two objects":                   {batch(glucose) + "{}", nil, 400, ""},
		"a list":                        {"[]", nil, 400, ""},
		"not UTF-8":                     {batch(strings.Replace(glucose, "my-meter", "m\xff", 1)), nil, 400, ""},
		"a form":                        {batch(glucose), []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, ""},
		"another charset":               {batch(glucose), []string{"Content-Type", "application/json; charset=utf-16"}, 415, ""},
		"more than a megabyte":          {batch(glucose) + strings.Repeat(" ", 1<<20), nil, 413, ""},
		"an empty key":                  {batch(glucose), []string{"Idempotency-Key", ""}, 400, ""},
		"a key with a line feed inside": {batch(glucose), []string{"Idempotency-Key", "a\nb"}, 400, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := h.post(writers, test.body, test.headers...)
			if a := read(t, w); w.Code != test.status || a.Field != test.field || a.ErrorText == "" {
				t.Errorf("it is answered %d %s", w.Code, w.Body)
			}
		})
	}
	if a := read(t, h.send(http.MethodGet, me, annasToken)); a.Count != 0 {
		t.Errorf("%d results were stored", a.Count)
	}
	if w := h.post(annasToken, batch(glucose)); w.Code != http.StatusForbidden {
		t.Errorf("a token that may only read is answered %d", w.Code)
	}
}

func TestSubmitTwiceStoresOnce(t *testing.T) {
	h := newHost(t)
	body := `{"biomarkers":[` + glucose + `]}`
	first := submitted(t, h.post(writers, body, "Idempotency-Key", "monday"))
	again := submitted(t, h.post(writers, body, "Idempotency-Key", "monday"))
	if fmt.Sprint(first) != fmt.Sprint(again) {
		t.Errorf("the ids are %v, then %v", first, again)
	}
	other := strings.Replace(body, "5.50", "5.51", 1)
	if w := h.post(writers, other, "Idempotency-Key", "monday"); w.Code != http.StatusConflict || read(t, w).Error != loop.Conflict {
		t.Errorf("another batch with the key is answered %d %s", w.Code, w.Body)
	}
	submitted(t, h.post(writers, other, "Idempotency-Key", "tuesday"))
	if a := read(t, h.send(http.MethodGet, me, annasToken)); a.Count != 2 {
		t.Errorf("%d results were stored, want 2", a.Count)
	}
	if records := h.recorded(t, audit.BiomarkersImported); len(records) != 2 {
		t.Errorf("%d batches are recorded, want 2", len(records))
	}
}

func TestSec242_ResultsAreRetractedByTheirSenderAlone(t *testing.T) {
	h := newHost(t)
	h.addTSH(t, anna, annas)
	mistake := submitted(t, h.post(writers, `{"biomarkers":[`+glucose+`]}`))[0]
	for name, test := range map[string]struct {
		id     loop.ResultID
		status int
	}{
		"a laboratory's result": {annas, 403}, "one that never was": {"bmk_01KAXYZ0000000000000000009", 404}, "an id of another kind": {"client_B", 404},
	} {
		if w := h.send(http.MethodDelete, me+"/"+string(test.id), writers); w.Code != test.status {
			t.Errorf("%s is answered %d %s", name, w.Code, w.Body)
		}
	}
	for range 2 { // the second changes nothing
		if w := h.send(http.MethodDelete, me+"/"+string(mistake), writers); w.Code != http.StatusNoContent {
			t.Fatalf("it is answered %d %s", w.Code, w.Body)
		}
	}
	if a := read(t, h.send(http.MethodGet, me, annasToken)); a.Count != 1 || a.Biomarkers[0].ID != annas {
		t.Errorf("the list has %+v", a.Biomarkers)
	}
	if w := h.send(http.MethodGet, me+"/"+string(mistake), annasToken); w.Code != http.StatusNotFound {
		t.Errorf("the result itself is answered %d", w.Code)
	}
	if summary := h.send(http.MethodGet, me+"/summary", annasToken).Body.String(); strings.Contains(summary, string(mistake)) {
		t.Errorf("the summary has it: %s", summary)
	}
	if records := h.recorded(t, audit.BiomarkerRetracted); len(records) != 1 {
		t.Errorf("it is recorded %d times", len(records))
	}
}
