package clinical

import (
	"fmt"
	"strings"

	"github.com/loop-health/loop/internal/biomarker"
)

// inWords says a page of results in a line each, for models whose client shows them
// the text alone.
func inWords(page biomarker.Page, system biomarker.System) string {
	var text strings.Builder
	if len(page.Results) == 0 {
		text.WriteString("There are no such lab results.\n")
	}
	for i := range page.Results {
		text.WriteString(resultInWords(&page.Results[i], system) + "\n")
	}
	if page.Next != "" {
		text.WriteString("There are more: call again with cursor " + page.Next + ".\n")
	}
	text.WriteString("This is not medical advice.")
	return text.String()
}

func resultInWords(r *biomarker.Judged, system biomarker.System) string {
	shown := r.In(system)
	value := shown.Text
	if shown.Kind == biomarker.NumberValue {
		value = string(r.Comparator) + shown.Value.String()
	}
	line := fmt.Sprintf("%s (%s): %s", r.Biomarker.Name, r.Code, strings.TrimSpace(value+" "+shown.Unit))
	if interval := intervalInWords(shown.Reference); interval != "" {
		line += ", interval " + interval
	}
	line += ", collected " + r.Collected()
	if r.Status != "" {
		line += ", " + strings.ReplaceAll(string(r.Status), "_", " ")
	}
	return line
}

func intervalInWords(r biomarker.Range) string {
	low, high := r.Low.String(), r.High.String()
	switch {
	case r.Low.Present() && r.High.Present():
		return low + " to " + high
	case r.Low.Present() && r.LowExcluded:
		return "above " + low
	case r.Low.Present():
		return "at least " + low
	case r.High.Present() && r.HighExcluded:
		return "below " + high
	case r.High.Present():
		return "at most " + high
	}
	return ""
}
