package clinical

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
)

// csvColumns are the names of the JSON's fields, without what is null there
// unless a unit was converted.
var csvColumns = strings.Split("id,patient_id,biomarker_code,biomarker_name,category,loinc_code,"+
	"value,value_kind,value_text,value_comparator,unit,unit_system,original_value,original_unit,"+
	"reference_low,reference_low_included,reference_high,reference_high_included,"+
	"status,status_rule,critical_direction,source,collected_at,parsed_at", ",")

// writeCSV answers with a page of results as RFC 4180 has it. Link leads to the
// next page.
func writeCSV(w http.ResponseWriter, member loop.MemberID, page biomarker.Page, system biomarker.System) error {
	rows := [][]string{csvColumns}
	for i := range page.Results {
		rows = append(rows, csvRow(member, &page.Results[i], system))
	}
	return web.WriteCSV(w, "lab-results.csv", rows)
}

func csvRow(member loop.MemberID, r *biomarker.Judged, system biomarker.System) []string {
	shown := r.In(system)
	row := []string{
		string(r.ID), string(member), string(r.Code), r.Biomarker.Name, string(r.Biomarker.Category), shown.LOINC,
		shown.Value.String(), string(shown.Kind), shown.Text, string(r.Comparator), shown.Unit, string(shown.System), "", "",
		shown.Reference.Low.String(), csvIncluded(shown.Reference.Low, shown.Reference.LowExcluded),
		shown.Reference.High.String(), csvIncluded(shown.Reference.High, shown.Reference.HighExcluded),
		string(r.Status), string(r.Rule), string(r.Direction), r.Source,
		r.Collected(), r.ParsedAt.Format(time.RFC3339Nano),
	}
	if shown.Converted {
		row[12], row[13] = r.Value.String(), r.Unit
	}
	for i, cell := range row {
		row[i] = inertCell(cell)
	}
	return row
}

func csvIncluded(limit biomarker.Decimal, excluded bool) string {
	in := included(limit, excluded)
	if in == nil {
		return ""
	}
	return strconv.FormatBool(*in)
}

// inertCell leaves numbers as they are: a spreadsheet takes -1.5 for no formula.
func inertCell(text string) string {
	if _, err := biomarker.ParseDecimal(text); err == nil {
		return text
	}
	return web.InertCell(text)
}
