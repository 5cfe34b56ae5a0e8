package clinical_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
)

const me = "/v1/biomarkers/me"

func decimal(t *testing.T, text string) biomarker.Decimal {
	t.Helper()
	d, err := biomarker.ParseDecimal(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestBiomarkersAnswerHasThePlatformsShape(t *testing.T) {
	h := newHost(t)
	h.add(t, anna,
		biomarker.Result{
			ID: "bmk_01KAXYZ0000000000000000000", Code: "tsh", Value: decimal(t, "2.40"), Unit: "m[IU]/L", Source: "quest",
			CollectedAt: time.Date(2026, 3, 2, 8, 15, 0, 0, time.UTC), ParsedAt: time.Date(2026, 3, 4, 17, 2, 11, 0, time.UTC),
		},
		biomarker.Result{
			ID: "bmk_01KAXYZ0000000000000000001", Code: "vitamin-b6", Comparator: biomarker.Below, Value: decimal(t, "5"), Unit: "ug/L", Source: "quest",
			CollectedAt: time.Date(2026, 3, 1, 9, 15, 0, 0, time.FixedZone("", 3600)), ParsedAt: time.Date(2026, 3, 4, 17, 2, 11, 0, time.UTC),
		},
		biomarker.Result{
			ID: "bmk_01KAXYZ0000000000000000002", Code: "urine-creatinine", Value: decimal(t, "1e2"), Unit: "mg/dL", Source: "quest",
			CollectedAt: time.Date(2026, 2, 1, 8, 15, 0, 0, time.UTC), ParsedAt: time.Date(2026, 3, 4, 17, 2, 11, 0, time.UTC),
		},
	)
	w := h.send(http.MethodGet, me, annasToken)
	want := `{"biomarkers":[` +
		`{"id":"bmk_01KAXYZ0000000000000000000","patient_id":"user_01KAXYZ0000000000000000000",` +
		`"biomarker_code":"tsh","biomarker_name":"Thyroid stimulating hormone","category":"thyroid","loinc_code":"3016-3",` +
		`"value":2.40,"value_kind":"quantity","value_text":null,"value_comparator":null,"unit":"m[IU]/L","unit_system":"conventional","original":null,` +
		`"reference_low":0.4,"reference_low_included":true,"reference_high":4.0,"reference_high_included":true,` +
		`"status":"normal","status_rule":"catalogue_interval","critical_direction":null,` +
		`"source":"quest","collected_at":"2026-03-02T08:15:00Z","parsed_at":"2026-03-04T17:02:11Z"},` +
		`{"id":"bmk_01KAXYZ0000000000000000001","patient_id":"user_01KAXYZ0000000000000000000",` +
		`"biomarker_code":"vitamin-b6","biomarker_name":"Vitamin B6 (pyridoxal 5-phosphate)","category":"vitamins","loinc_code":null,` +
		`"value":5,"value_kind":"quantity","value_text":null,"value_comparator":"\u003c","unit":"ug/L","unit_system":"conventional","original":null,` +
		`"reference_low":5,"reference_low_included":true,"reference_high":50,"reference_high_included":true,` +
		`"status":"low","status_rule":"catalogue_interval","critical_direction":null,` +
		`"source":"quest","collected_at":"2026-03-01T08:15:00Z","parsed_at":"2026-03-04T17:02:11Z"},` +
		`{"id":"bmk_01KAXYZ0000000000000000002","patient_id":"user_01KAXYZ0000000000000000000",` +
		`"biomarker_code":"urine-creatinine","biomarker_name":"Creatinine, random urine","category":"urine","loinc_code":"2161-8",` +
		`"value":1e2,"value_kind":"quantity","value_text":null,"value_comparator":null,"unit":"mg/dL","unit_system":"conventional","original":null,` +
		`"reference_low":null,"reference_low_included":null,"reference_high":null,"reference_high_included":null,` +
		`"status":null,"status_rule":null,"critical_direction":null,` +
		`"source":"quest","collected_at":"2026-02-01T08:15:00Z","parsed_at":"2026-03-04T17:02:11Z"}` +
		`],"count":3,"next_cursor":null}`
	if w.Code != http.StatusOK {
		t.Fatalf("the status is %d: %s", w.Code, w.Body)
	}
	if diff := cmp.Diff(want, w.Body.String()); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
	if w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("X-Request-Id") == "" {
		t.Errorf("the headers are %v", w.Header())
	}
}

func TestMemberWithoutResultsGetsAnEmptyList(t *testing.T) {
	h := newHost(t)
	h.addHistory(t, anna)
	w := h.send(http.MethodGet, me, bensToken)
	if want := `{"biomarkers":[],"count":0,"next_cursor":null}`; w.Code != http.StatusOK || w.Body.String() != want {
		t.Errorf("the answer is %d %s", w.Code, w.Body)
	}
	if reads := h.recorded(t, audit.BiomarkersRead); len(reads) != 1 || reads[0].Detail != `{"count":"0"}` {
		t.Errorf("the record is %+v", reads)
	}
}

func TestEachMemberSeesTheirOwnResultsBySex(t *testing.T) {
	h := newHost(t)
	h.addHistory(t, anna)
	h.addHistory(t, ben)
	for token, member := range map[string]loop.MemberID{annasToken: anna, bensToken: ben} {
		a := read(t, h.send(http.MethodGet, me+"?limit=500", token))
		if a.Count != 191 || len(a.Biomarkers) != a.Count {
			t.Errorf("%s has %d results", member, a.Count)
		}
		for _, b := range a.Biomarkers {
			if b.PatientID != member {
				t.Errorf("%s sees a result of %s", member, b.PatientID)
			}
			if b.Code == "testosterone-total" && b.Status != biomarker.Normal {
				t.Errorf("a testosterone of %s is %s for %s", b.Value, b.Status, member)
			}
		}
	}
}

func TestUnitSystemIsWhatTheAppAsksFor(t *testing.T) {
	h := newHost(t)
	h.add(t, anna,
		biomarker.Result{
			ID: "bmk_01KAXYZ0000000000000000000", Code: "glucose-fasting", Value: decimal(t, "99.087"), Unit: "mg/dL", Source: "quest",
			CollectedAt: time.Date(2026, 3, 2, 8, 15, 0, 0, time.UTC), ParsedAt: time.Date(2026, 3, 4, 17, 2, 11, 0, time.UTC),
		},
		biomarker.Result{
			ID: "bmk_01KAXYZ0000000000000000001", Code: "glucose-fasting", Value: decimal(t, "5.60"), Unit: "mmol/L", Source: "quest",
			CollectedAt: time.Date(2026, 3, 1, 8, 15, 0, 0, time.UTC), ParsedAt: time.Date(2026, 3, 4, 17, 2, 11, 0, time.UTC),
		},
	)
	for query, want := range map[string][]string{
		"": {
			`"loinc_code":"1558-6","value":99.087,"value_kind":"quantity","value_text":null,"value_comparator":null,"unit":"mg/dL","unit_system":"conventional","original":null,` +
				`"reference_low":70,"reference_low_included":true,"reference_high":100,"reference_high_included":false,"status":"normal"`,
			`"value":101,"value_kind":"quantity","value_text":null,"value_comparator":null,"unit":"mg/dL","unit_system":"conventional","original":{"value":5.60,"unit":"mmol/L"},` +
				`"reference_low":70,"reference_low_included":true,"reference_high":100,"reference_high_included":false,"status":"high"`,
		},
		"?unit_system=si": {
			`"loinc_code":"14771-0","value":5.5,"value_kind":"quantity","value_text":null,"value_comparator":null,"unit":"mmol/L","unit_system":"si","original":{"value":99.087,"unit":"mg/dL"},` +
				`"reference_low":3.9,"reference_low_included":true,"reference_high":5.6,"reference_high_included":false,"status":"normal"`,
			`"value":5.60,"value_kind":"quantity","value_text":null,"value_comparator":null,"unit":"mmol/L","unit_system":"si","original":null,`,
		},
	} {
		body := h.send(http.MethodGet, me+query, annasToken).Body.String()
		for _, part := range want {
			if !strings.Contains(body, part) {
				t.Errorf("%q: the answer lacks %s:\n%s", query, part, body)
			}
		}
	}
}

func TestFiltersNarrowTheList(t *testing.T) {
	h := newHost(t)
	h.addHistory(t, ben)
	for query, check := range map[string]func(answer) bool{
		"code=tsh":                         func(a answer) bool { return a.Count == 5 && only(a, "tsh") },
		"code=tsh&code=hba1c":              func(a answer) bool { return a.Count == 10 && only(a, "tsh", "hba1c") },
		"code=tsh&latest=true":             func(a answer) bool { return a.Count == 1 },
		"latest=true":                      func(a answer) bool { return a.Count == 49 },
		"category=thyroid&latest=true":     func(a answer) bool { return a.Count == 4 },
		"category=thyroid&code=ldl-c":      func(a answer) bool { return a.Count == 0 && a.NextCursor == nil },
		"status=critical":                  func(a answer) bool { return a.Count == 1 && only(a, "potassium") },
		"status=critical&latest=true":      func(a answer) bool { return a.Count == 0 },
		"status=low&status=high&code=ggt":  func(a answer) bool { return a.Count == 1 },
		"from=2025-10-01":                  func(a answer) bool { return a.Count == 49 },
		"to=2024-04-01":                    func(a answer) bool { return a.Count == 49 },
		"from=2024-04-01&to=2025-10-01":    func(a answer) bool { return a.Count == 93 },
		"limit=7":                          func(a answer) bool { return a.Count == 7 && a.NextCursor != nil },
		"limit=500&unit_system=":           func(a answer) bool { return a.Field == "unit_system" },
		"limit=500&unknown=1&also_unknown": func(a answer) bool { return a.Count == 191 },
		"":                                 func(a answer) bool { return a.Count == 100 && a.NextCursor != nil },
	} {
		t.Run(query, func(t *testing.T) {
			if a := read(t, h.send(http.MethodGet, me+"?"+query, bensToken)); !check(a) {
				t.Errorf("%d results, error %q of %q", a.Count, a.Error, a.Field)
			}
		})
	}
}

func only(a answer, codes ...biomarker.Code) bool {
	for _, b := range a.Biomarkers {
		found := false
		for _, code := range codes {
			found = found || b.Code == code
		}
		if !found {
			return false
		}
	}
	return true
}

func TestFromIsIncludedAndToIsExcluded(t *testing.T) {
	h := newHost(t)
	h.addHistory(t, anna)
	newest := read(t, h.send(http.MethodGet, me+"?limit=1", annasToken)).Biomarkers[0].Collected
	at := url.QueryEscape(newest.Format(time.RFC3339))
	if a := read(t, h.send(http.MethodGet, me+"?from="+at, annasToken)); a.Count != 49 {
		t.Errorf("from the newest on there are %d", a.Count)
	}
	if a := read(t, h.send(http.MethodGet, me+"?limit=500&to="+at, annasToken)); a.Count != 191-49 {
		t.Errorf("before the newest there are %d", a.Count)
	}
}

func TestPagesAreNewestFirstAndComplete(t *testing.T) {
	h := newHost(t)
	total := h.addHistory(t, anna)
	seen := make(map[loop.ResultID]bool)
	last := now
	path := me + "?limit=40"
	for path != "" {
		a := read(t, h.send(http.MethodGet, path, annasToken))
		if a.Error != "" || a.Count == 0 || a.Count > 40 {
			t.Fatalf("a page of %d: %s", a.Count, a.ErrorText)
		}
		for _, b := range a.Biomarkers {
			if seen[b.ID] || b.Collected.After(last) {
				t.Errorf("%s of %s is out of order or there twice", b.ID, b.Collected)
			}
			seen[b.ID], last = true, b.Collected.Time
		}
		path = ""
		if a.NextCursor != nil {
			path = me + "?limit=40&cursor=" + *a.NextCursor
		}
	}
	if len(seen) != total {
		t.Errorf("%d results on all pages, want %d", len(seen), total)
	}
}

func TestSec105_ForeignCursorIsRefused(t *testing.T) {
	h := newHost(t)
	h.addHistory(t, anna)
	h.addHistory(t, ben)
	cursor := *read(t, h.send(http.MethodGet, me+"?code=tsh&limit=1", annasToken)).NextCursor
	for name, try := range map[string]struct{ path, token string }{
		"another member's":   {me + "?code=tsh&cursor=" + cursor, bensToken},
		"of another query":   {me + "?cursor=" + cursor, annasToken},
		"edited":             {me + "?code=tsh&cursor=B" + cursor[1:], annasToken},
		"invented":           {me + "?cursor=" + strings.Repeat("A", 83), annasToken},
		"another identifier": {me + "?cursor=bmk_01KAXYZ0000000000000000000", annasToken},
		"SQL":                {me + "?cursor=" + url.QueryEscape("' OR 1=1 --"), annasToken},
		"10 KiB":             {me + "?cursor=" + strings.Repeat("A", 10<<10), annasToken},
	} {
		t.Run(name, func(t *testing.T) {
			w := h.send(http.MethodGet, try.path, try.token)
			if a := read(t, w); w.Code != http.StatusBadRequest || a.Error != loop.ValidationError || a.Field != "cursor" || a.Biomarkers != nil {
				t.Errorf("the answer is %d %s", w.Code, w.Body)
			}
		})
	}
}

func TestBadParameterIsNamed(t *testing.T) {
	h := newHost(t)
	h.addHistory(t, anna)
	for query, field := range map[string]string{
		"code=nothing": "code", "category=blood": "category", "status=fine": "status", "from=yesterday": "from", "to=x": "to",
		"latest=yes": "latest", "unit_system=metric": "unit_system", "limit=0": "limit", "limit=1&limit=2": "limit", "cursor=x": "cursor",
	} {
		w := h.send(http.MethodGet, me+"?"+query, annasToken)
		a := read(t, w)
		if w.Code != http.StatusBadRequest || a.Error != loop.ValidationError || a.Field != field || a.Biomarkers != nil || w.Header().Get("WWW-Authenticate") != "" {
			t.Errorf("%s is answered %d %s", query, w.Code, w.Body)
		}
		if a.RequestID == "" || a.ErrorURI != "https://developers.platform.loop.health/docs/errors/validation_error?request="+a.RequestID || a.ErrorText == "" {
			t.Errorf("%s: the error is %+v", query, a)
		}
	}
	for _, query := range []string{"code=%zz", "code=%00", "code=%ff", strings.Repeat("code=tsh&", 200)} {
		if w := h.send(http.MethodGet, me+"?"+query, annasToken); w.Code != http.StatusBadRequest || read(t, w).Biomarkers != nil {
			t.Errorf("%.20s is answered %d", query, w.Code)
		}
	}
	if reads := h.recorded(t, audit.BiomarkersRead); len(reads) != 0 {
		t.Errorf("%d refusals are recorded as reads", len(reads))
	}
}

func TestReadIsRecordedBeforeItIsAnswered(t *testing.T) {
	h := newHost(t)
	h.addHistory(t, anna)
	w := h.send(http.MethodGet, me+"?code=tsh&status=high&limit=2", annasToken)
	reads := h.recorded(t, audit.BiomarkersRead)
	if len(reads) != 1 {
		t.Fatalf("%d records", len(reads))
	}
	want := audit.Row{
		At: now.UnixMicro(), Event: audit.BiomarkersRead, ActorKind: audit.ByClient, ActorID: "client_A",
		Member: string(anna), Client: "client_A", Grant: "grant_A", Request: w.Header().Get("X-Request-Id"), Address: "192.0.2.1",
		Detail: `{"count":"1","filters":"code status"}`,
	}
	if diff := cmp.Diff(want, reads[0], cmpopts.IgnoreFields(audit.Row{}, "Lane", "Number", "Previous", "Hash")); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}

func TestReadThatCannotBeRecordedIsNotAnswered(t *testing.T) {
	h := newHost(t)
	h.addHistory(t, anna)
	h.records.fail = errors.New("disk full")
	w := h.send(http.MethodGet, me, annasToken)
	if a := read(t, w); w.Code != http.StatusServiceUnavailable || a.Error != loop.TemporarilyUnavailable || a.Biomarkers != nil ||
		strings.Contains(w.Body.String(), "disk") || strings.Contains(w.Body.String(), "bmk_") {
		t.Errorf("the answer is %d %s", w.Code, w.Body)
	}
	if w := h.send(http.MethodGet, me, narrow); w.Code != http.StatusServiceUnavailable {
		t.Errorf("a refusal that cannot be counted is answered %d", w.Code)
	}
}

func TestMemberThatIdentityCannotTellOfIsNotAnswered(t *testing.T) {
	h := newHost(t)
	h.addHistory(t, anna)
	delete(h.identity.sexes, anna)
	if w := h.send(http.MethodGet, me, annasToken); w.Code != http.StatusServiceUnavailable || read(t, w).Error != loop.TemporarilyUnavailable {
		t.Errorf("the answer is %d %s", w.Code, w.Body)
	}
}

func TestLogHoldsNeitherTokenNorQueryNorValue(t *testing.T) {
	h := newHost(t)
	h.addHistory(t, anna)
	h.send(http.MethodGet, me+"?code=ldl-c&from=2025-01-01", annasToken)
	h.send(http.MethodGet, me+"?access_token=lph_at_leaked", "")
	h.send(http.MethodGet, me, "lph_at_unknown")
	log := h.log.String()
	for _, secret := range []string{"lph_at_", "ldl-c", "2025-01-01", "Bearer", "access_token"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %q:\n%s", secret, log)
		}
	}
	if !strings.Contains(log, `"client_id":"client_A"`) || !strings.Contains(log, `"user_id":"`+string(anna)) || !strings.Contains(log, `"route":"GET /v1/biomarkers/me"`) {
		t.Errorf("the log does not say what happened:\n%s", log)
	}
}
