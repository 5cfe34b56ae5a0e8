package clinical

import (
	"encoding/json"
	"testing"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
)

// Promise: whatever a laboratory calls things, the answer is well-formed JSON and
// holds it unchanged.
func TestAnswerHoldsEveryTextAsItIs(t *testing.T) {
	member := loop.MemberID("user_01KAXYZ0000000000000000000")
	for _, text := range []string{
		`plain`, `"quoted"`, `back\slash`, "line\nfeed", "null\x00", `<script>&amp;</script>`, "İstanbul ığüşöç", "μmol/L", "\u2028", "\x7f",
	} {
		page := biomarker.Page{Next: text, Results: []biomarker.Judged{
			{Result: biomarker.Result{Unit: text, Source: text}, Biomarker: &biomarker.Biomarker{Name: text, Measure: biomarker.Measure{LOINC: text, Unit: text}}},
		}}
		var decoded struct {
			Biomarkers []struct {
				Name   string  `json:"biomarker_name"`
				LOINC  *string `json:"loinc_code"`
				Unit   string  `json:"unit"`
				Source string  `json:"source"`
				Value  any     `json:"value"`
			} `json:"biomarkers"`
			Next *string `json:"next_cursor"`
		}
		if err := json.Unmarshal(encodePage(member, page, biomarker.Conventional), &decoded); err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		one := decoded.Biomarkers[0]
		if one.Name != text || *one.LOINC != text || one.Unit != text || one.Source != text || *decoded.Next != text || one.Value != nil {
			t.Errorf("%q became %+v", text, decoded)
		}
	}
}
