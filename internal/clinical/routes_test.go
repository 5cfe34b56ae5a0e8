package clinical_test

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
)

// addTSH adds two results of one biomarker and gives the newer one's id.
func (h *host) addTSH(t *testing.T, member loop.MemberID, ids ...loop.ResultID) {
	t.Helper()
	for i, id := range ids {
		h.add(t, member, biomarker.Result{
			ID: id, Code: "tsh", Value: decimal(t, []string{"2.40", "3.15"}[i]), Unit: "m[IU]/L", Source: "quest",
			CollectedAt: time.Date(2026, 3, 9-i, 8, 15, 0, 0, time.UTC), ParsedAt: time.Date(2026, 3, 9, 17, 2, 11, 0, time.UTC),
		})
	}
}

const (
	annas    = loop.ResultID("bmk_01KAXYZ0000000000000000000")
	annasOld = loop.ResultID("bmk_01KAXYZ0000000000000000001")
	bens     = loop.ResultID("bmk_01KAXYZ0000000000000000002")
)

func TestOneResultIsItsMembersAlone(t *testing.T) {
	h := newHost(t)
	h.addTSH(t, anna, annas, annasOld)
	h.addTSH(t, ben, bens)
	var one struct {
		ID    loop.ResultID
		Value json.Number
	}
	w := h.send(http.MethodGet, me+"/"+string(annas), annasToken)
	if err := json.Unmarshal(w.Body.Bytes(), &one); err != nil || w.Code != http.StatusOK || one.ID != annas || one.Value != "2.40" {
		t.Errorf("the result is answered %d %s", w.Code, w.Body)
	}
	if records := h.recorded(t, audit.BiomarkersRead); len(records) != 1 || !strings.Contains(records[0].Detail, `"count":"1"`) {
		t.Errorf("the reads are recorded as %v", records)
	}
	for name, id := range map[string]string{
		"another member's": string(bens), "one that never was": "bmk_01KAXYZ0000000000000000009",
		"an id of another kind": string(anna), "no id": "nothing", "a quote": "bmk_'%20OR%201=1",
	} {
		if w := h.send(http.MethodGet, me+"/"+id, annasToken); w.Code != http.StatusNotFound || read(t, w).Error != loop.NotFound {
			t.Errorf("%s is answered %d %s", name, w.Code, w.Body)
		}
	}
	if w := h.send(http.MethodGet, me+"/"+string(annas), narrow); w.Code != http.StatusForbidden {
		t.Errorf("without the scope it is answered %d", w.Code)
	}
}

func TestSummaryHasNewestPreviousAndChange(t *testing.T) {
	h := newHost(t)
	h.addTSH(t, anna, annas, annasOld)
	h.addTSH(t, ben, bens)
	var summary struct {
		Biomarkers []struct {
			Code             biomarker.Code `json:"biomarker_code"`
			Newest, Previous struct{ ID loop.ResultID }
			Change           *json.Number
		}
		Count int
	}
	w := h.send(http.MethodGet, me+"/summary", annasToken)
	if err := json.Unmarshal(w.Body.Bytes(), &summary); err != nil || summary.Count != 1 || len(summary.Biomarkers) != 1 {
		t.Fatalf("the summary is %d %s", w.Code, w.Body)
	}
	if one := summary.Biomarkers[0]; one.Code != "tsh" || one.Newest.ID != annas || one.Previous.ID != annasOld || *one.Change != "-0.75" {
		t.Errorf("the summary is %s", w.Body)
	}
	if records := h.recorded(t, audit.BiomarkersRead); len(records) != 1 || !strings.Contains(records[0].Detail, `"count":"2"`) {
		t.Errorf("the read is recorded as %v", records)
	}
	if w := h.send(http.MethodGet, me+"/summary", bensToken); !strings.Contains(w.Body.String(), `"previous":null,"change":null`) {
		t.Errorf("one result alone is summarized as %s", w.Body)
	}
}

func TestListAsCSV(t *testing.T) {
	h := newHost(t)
	h.addTSH(t, anna, annas, annasOld)
	w := h.send(http.MethodGet, me+"?limit=1&code=tsh", annasToken, http.Header{"Accept": {"text/csv"}})
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/csv") || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("it is answered %d %v", w.Code, w.Header())
	}
	rows, err := csv.NewReader(w.Body).ReadAll()
	if err != nil || len(rows) != 2 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	cells := make(map[string]string)
	for i, name := range rows[0] {
		cells[name] = rows[1][i]
	}
	for name, want := range map[string]string{
		"id": string(annas), "value": "2.40", "unit": "m[IU]/L", "original_value": "", "reference_low": "0.4",
		"reference_low_included": "true", "status": "normal", "collected_at": "2026-03-09T08:15:00Z",
	} {
		if cells[name] != want {
			t.Errorf("%s is %q, want %q", name, cells[name], want)
		}
	}
	link, rest, _ := strings.Cut(strings.TrimPrefix(w.Header().Get("Link"), "<https://clinical.platform.loop.health"), ">")
	if rest != `; rel="next"` {
		t.Fatalf("Link is %q", w.Header().Get("Link"))
	}
	if next := read(t, h.send(http.MethodGet, link, annasToken)); len(next.Biomarkers) != 1 || next.Biomarkers[0].ID != annasOld || next.NextCursor != nil {
		t.Errorf("the next page is %+v", next)
	}
}

func TestAcceptThatNamesNothingWeHaveIs406(t *testing.T) {
	h := newHost(t)
	for _, path := range []string{me, me + "/summary", me + "/" + string(annas), "/v1/biomarkers/catalog"} {
		w := h.send(http.MethodGet, path, annasToken, http.Header{"Accept": {"application/xml"}})
		if w.Code != http.StatusNotAcceptable || read(t, w).Error != loop.NotAcceptable {
			t.Errorf("%s is answered %d %s", path, w.Code, w.Body)
		}
	}
	if records := h.recorded(t, audit.BiomarkersRead); len(records) != 0 {
		t.Errorf("%d refusals are recorded as reads", len(records))
	}
}

func TestCatalogIsPublicAndCanBeKept(t *testing.T) {
	h := newHost(t)
	w := h.send(http.MethodGet, "/v1/biomarkers/catalog", "")
	etag := w.Header().Get("ETag")
	if w.Code != http.StatusOK || etag == "" || w.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Fatalf("it is answered %d %v", w.Code, w.Header())
	}
	var catalog struct {
		Biomarkers []struct {
			Code         string
			Conventional *struct {
				LOINC string `json:"loinc_code"`
				Unit  string
			}
			References []struct {
				Sex          *string
				Conventional struct {
					High         json.Number
					HighIncluded *bool `json:"high_included"`
				}
			}
		}
		Count int
	}
	if err := json.Unmarshal(w.Body.Bytes(), &catalog); err != nil {
		t.Fatal(err)
	}
	if catalog.Count != len(catalog.Biomarkers) || catalog.Count < 276 {
		t.Errorf("it lists %d of %d biomarkers", len(catalog.Biomarkers), catalog.Count)
	}
	for _, b := range catalog.Biomarkers {
		if b.Code != "glucose-fasting" {
			continue
		}
		high := b.References[0].Conventional
		if b.Conventional.LOINC != "1558-6" || b.Conventional.Unit != "mg/dL" || high.High != "100" || high.HighIncluded == nil || *high.HighIncluded {
			t.Errorf("fasting glucose is %+v", b)
		}
	}
	for _, tag := range []string{etag, "W/" + etag, `"other", ` + etag, "*"} {
		if w := h.send(http.MethodGet, "/v1/biomarkers/catalog", "", http.Header{"If-None-Match": {tag}}); w.Code != http.StatusNotModified || w.Body.Len() != 0 {
			t.Errorf("with %s it is answered %d", tag, w.Code)
		}
	}
	if w := h.send(http.MethodGet, "/v1/biomarkers/catalog", "", http.Header{"If-None-Match": {`"other"`}}); w.Code != http.StatusOK {
		t.Errorf("with another tag it is answered %d", w.Code)
	}
}
