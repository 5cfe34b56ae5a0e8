package clinical_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
)

func TestChart_DrawsOneBiomarkerAndRecordsTheRead(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.addTSH(t, anna, annas, annasOld)
	w := h.send(http.MethodGet, me+"/chart.svg?code=tsh", annasToken)
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "image/svg+xml" || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("it is answered %d %v", w.Code, w.Header())
	}
	for _, part := range []string{`<svg class="history"`, `xmlns="http://www.w3.org/2000/svg"`, ">Thyroid stimulating hormone over time, in mIU/L</title>", "2 results from 8 March 2026 to 9 March 2026"} {
		if !strings.Contains(w.Body.String(), part) {
			t.Errorf("it lacks %s: %s", part, w.Body)
		}
	}
	if policy := w.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "style-src 'sha256-") || strings.Contains(policy, "unsafe") {
		t.Errorf("its policy is %q", policy)
	}
	if records := h.recorded(t, audit.BiomarkersRead); len(records) != 1 || !strings.Contains(records[0].Detail, `"count":"2"`) || !strings.Contains(records[0].Detail, "chart") {
		t.Errorf("the reads are recorded as %v", records)
	}
}

func TestChart_IsInTheUnitAndTheLanguageThatWereAskedFor(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.add(t, anna, biomarker.Result{ID: annas, Code: "glucose-fasting", Value: decimal(t, "92"), Unit: "mg/dL", Source: "quest", CollectedAt: now, ParsedAt: now})
	w := h.send(http.MethodGet, me+"/chart.svg?code=glucose-fasting&unit_system=si", annasToken, http.Header{"Accept-Language": {"de-AT, en;q=0.5"}})
	if w.Code != http.StatusOK || w.Header().Get("Content-Language") != "de" || !strings.Contains(w.Body.String(), "im Verlauf, in mmol/L") {
		t.Errorf("it is answered %d %s", w.Code, w.Body)
	}
}

func TestChart_RefusesWhatItCanNotDraw(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.addTSH(t, anna, annas, annasOld)
	h.add(t, ben, biomarker.Result{ID: bens, Code: "urine-nitrite", Text: "Negative", Source: "quest", CollectedAt: now, ParsedAt: now})
	for name, test := range map[string]struct {
		address, token string
		status         int
		code           loop.Code
	}{
		"no biomarker":          {"", annasToken, http.StatusBadRequest, loop.ValidationError},
		"two biomarkers":        {"?code=tsh&code=hdl-c", annasToken, http.StatusBadRequest, loop.ValidationError},
		"one that is not there": {"?code=nothing", annasToken, http.StatusBadRequest, loop.ValidationError},
		"nobody's system":       {"?code=tsh&unit_system=metric", annasToken, http.StatusBadRequest, loop.ValidationError},
		"no result":             {"?code=hdl-c", annasToken, http.StatusNotFound, loop.NotFound},
		"another member's":      {"?code=tsh", bensToken, http.StatusNotFound, loop.NotFound},
		"words alone":           {"?code=urine-nitrite", bensToken, http.StatusNotFound, loop.NotFound},
		"a token without scope": {"?code=tsh", narrow, http.StatusForbidden, loop.InsufficientScope},
		"a token of nobody's":   {"?code=tsh", "lph_at_nothing", http.StatusUnauthorized, loop.InvalidToken},
	} {
		if w := h.send(http.MethodGet, me+"/chart.svg"+test.address, test.token); w.Code != test.status || read(t, w).Error != test.code {
			t.Errorf("%s is answered %d %s", name, w.Code, w.Body)
		}
	}
	if w := h.send(http.MethodGet, me+"/chart.svg?code=tsh", annasToken, http.Header{"Accept": {"image/png"}}); w.Code != http.StatusNotAcceptable {
		t.Errorf("for a PNG it is answered %d", w.Code)
	}
	if records := h.recorded(t, audit.BiomarkersRead); len(records) != 0 {
		t.Errorf("nothing was shown, and %v recorded", records)
	}
}
