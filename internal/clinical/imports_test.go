package clinical_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/audit"
)

// sendFile sends a file to be imported.
func (h *host) sendFile(token, query, kind, file string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "https://clinical.platform.loop.health/v1/imports?"+query, strings.NewReader(file))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", kind)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// observed is a synthetic Observation of a patient.
func observed(patient, loinc, value string) string {
	return `{"resourceType":"Observation","id":"` + loinc + `","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"` + loinc + `"}]},` +
		`"subject":{"reference":"Patient/` + patient + `"},"effectiveDateTime":"2026-03-02","valueQuantity":{"value":` + value + `,"unit":"mIU/L"}}`
}

const hl7Message = "MSH|^~\\&|L|H|||20260302||ORU^R01|7|P|2.5.1\rPID|1||p\rOBR|1||f1|1|||202603020730\rOBX|1|NM|3016-3^TSH^LN||2.40|mIU/L|||||F\r"

type importAnswer struct {
	DryRun bool `json:"dry_run"`
	Counts map[string]int
	Places []struct{ Place, Outcome, Reason, Code string }
}

func TestImportOfAFileIsReadBack(t *testing.T) {
	h := newHost(t)
	file := observed("p", "3016-3", "2.40") + "\n" + observed("p", "99999-9", "7") + "\n" + observed("p", "3016-3", `"x"`)
	for i, want := range []string{"true map[aside:1 corrected:0 deleted:0 duplicate:0 kept:1 refused:1]", "false map[aside:1 corrected:0 deleted:0 duplicate:0 kept:1 refused:1]", "false map[aside:1 corrected:0 deleted:0 duplicate:1 kept:0 refused:1]"} {
		w := h.sendFile(writers, fmt.Sprintf("source=quest&dry_run=%v", i == 0), "application/fhir+ndjson", file)
		var answer importAnswer
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK || fmt.Sprint(answer.DryRun, answer.Counts) != want {
			t.Fatalf("import %d is answered %d %s", i, w.Code, w.Body)
		}
		if len(answer.Places) != 2 || answer.Places[1].Place != "line 3" || answer.Places[0].Code != "99999-9" {
			t.Errorf("the places are %+v", answer.Places)
		}
	}
	body := h.send(http.MethodGet, me, annasToken).Body.String()
	if !strings.Contains(body, `"value":2.40`) || !strings.Contains(body, `"collected_at":"2026-03-02"`) || !strings.Contains(body, `"source":"quest"`) {
		t.Errorf("the list is %s", body)
	}
	if records := h.recorded(t, audit.BiomarkersImported); len(records) != 1 || records[0].Client != "client_B" || records[0].Grant != "grant_C" {
		t.Errorf("it is recorded as %+v", records)
	}
	if w := h.sendFile(writers, "source=quest&time_zone=Europe/Berlin", "application/hl7-v2", hl7Message); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"kept":1`) {
		t.Errorf("a message is answered %d %s", w.Code, w.Body)
	}
	if body := h.send(http.MethodGet, me, annasToken).Body.String(); !strings.Contains(body, `"collected_at":"2026-03-02T06:30:00Z"`) {
		t.Errorf("the list is %s", body)
	}
}

func TestImportRefusesAFileAndKeepsNothing(t *testing.T) {
	h := newHost(t)
	one := observed("p", "3016-3", "2.40")
	for name, test := range map[string]struct {
		token, query, kind, file string
		status                   int
		says                     string
	}{
		"two patients":              {writers, "source=quest", "application/json", one + "\n" + observed("q", "3016-3", "2.40"), 400, "several patients"},
		"a file that is cut off":    {writers, "source=quest", "application/json", one + "\n" + one[:40], 400, "line 2"},
		"no format":                 {writers, "source=quest", "text/csv", "a,b\n1,2\n", 400, "no export that is known"},
		"nothing":                   {writers, "source=quest", "application/json", "", 400, "empty"},
		"no source":                 {writers, "", "application/json", one, 400, "source"},
		"a source in words":         {writers, "source=Quest+Inc", "application/json", one, 400, "kebab-case"},
		"a dry run that is neither": {writers, "source=quest&dry_run=maybe", "application/json", one, 400, "dry_run"},
		"no time zone":              {writers, "source=quest&time_zone=Mars", "application/json", one, 400, "time_zone"},
		"the zone of the server":    {writers, "source=quest&time_zone=Local", "application/json", one, 400, "time_zone"},
		"a parameter of nobody's":   {writers, "source=quest&user=" + string(ben), "application/json", one, 400, "parameters"},
		"another type":              {writers, "source=quest", "application/xml", one, 415, "FHIR"},
		"too much":                  {writers, "source=quest", "application/json", strings.Repeat(" ", 8<<20+1), 413, "8 MB"},
		"no scope":                  {annasToken, "source=quest", "application/json", one, 403, "write:biomarkers"},
		"no token":                  {"lph_at_nobody", "source=quest", "application/json", one, 401, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if w := h.sendFile(test.token, test.query, test.kind, test.file); w.Code != test.status || !strings.Contains(w.Body.String(), test.says) {
				t.Errorf("it is answered %d %s", w.Code, w.Body)
			}
		})
	}
	if body := h.send(http.MethodGet, me, annasToken).Body.String(); !strings.Contains(body, `"count":0`) {
		t.Errorf("something was kept: %s", body)
	}
}

// TestSec343_NoValueOfAFileIsLogged: what a file says is in no log line and in no record.
func TestSec343_NoValueOfAFileIsLogged(t *testing.T) {
	h := newHost(t)
	secret := []string{"271.828", "Patient/Grace-Hopper", "Hopper^Grace", "haemolysed-by-grace"}
	fhir := observed("Grace-Hopper", "3016-3", "271.828") + "\n" + observed("Grace-Hopper", "3016-3", `"271.828"`) + "\n" + observed("Grace-Hopper", "3016-3", "271.828x")
	hl7 := strings.NewReplacer("|p\r", "|||Hopper^Grace\r", "2.40", "haemolysed-by-grace", "mIU/L", "furlongs").Replace(hl7Message)
	for _, file := range []string{fhir, hl7, strings.TrimSuffix(hl7, "\r") + "\rBTS|9", "Test;Value\nHopper^Grace;271.828"} {
		w := h.sendFile(writers, "source=quest", "application/octet-stream", file)
		for _, word := range secret {
			if strings.Contains(w.Body.String(), word) {
				t.Errorf("the answer repeats %s: %s", word, w.Body)
			}
		}
	}
	for _, word := range secret {
		if strings.Contains(h.log.String(), word) {
			t.Errorf("the log has %s", word)
		}
	}
	for _, row := range h.recorded(t, audit.BiomarkersImported) {
		for _, word := range secret {
			if strings.Contains(row.Detail, word) {
				t.Errorf("a record has %s: %s", word, row.Detail)
			}
		}
	}
	if h.log.Len() == 0 {
		t.Error("nothing was logged, so this shows nothing")
	}
}
