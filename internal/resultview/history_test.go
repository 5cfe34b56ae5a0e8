package resultview

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/locale"
)

// now is later than every result of these tests.
var now = time.Date(2036, 3, 3, 8, 15, 0, 0, time.UTC)

func words(t *testing.T, language string) Words {
	t.Helper()
	texts, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	return Words{texts.Match(language)}
}

func decimal(t *testing.T, text string) biomarker.Decimal {
	t.Helper()
	d, err := biomarker.ParseDecimal(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// judged are results of one biomarker, synthetic, in the order in which they are given.
func judged(t *testing.T, results ...biomarker.Incoming) (all []biomarker.Judged) {
	t.Helper()
	c, err := biomarker.NewCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	for i := range results {
		r, err := c.Read(&results[i], now)
		if err != nil {
			t.Fatal(err)
		}
		one, err := c.Judge(&r, biomarker.Person{})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	return all
}

func glucose(t *testing.T, comparator biomarker.Comparator, value, unit, collected string) biomarker.Incoming {
	t.Helper()
	return biomarker.Incoming{Code: "glucose-fasting", Comparator: comparator, Value: decimal(t, value), Unit: unit, Collected: collected}
}

// shapes counts what a chart is made of, by element and class.
func shapes(t *testing.T, svg string) map[string]int {
	t.Helper()
	found := map[string]int{}
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatalf("the chart is no XML: %v\n%s", err, svg)
		}
		element, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		for _, a := range element.Attr {
			if a.Name.Local == "class" {
				found[element.Name.Local+" "+a.Value]++
			}
			if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
				t.Errorf("%s=%q", a.Name.Local, a.Value)
			}
		}
	}
}

func TestHistory_DrawsEachKindOfResult(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		results   []biomarker.Incoming // the newest first
		want      map[string]int
		converted int
		listed    int
	}{
		{"a single value is on no curve", []biomarker.Incoming{
			glucose(t, "", "92", "mg/dL", "2026-03-02"),
		}, map[string]int{"circle mark within": 1, "line curve": 0, "rect band": 1, "line span": 1, "text date": 1}, 0, 0},
		{"a single value of a moment", []biomarker.Incoming{
			glucose(t, "", "92", "mg/dL", "2026-03-02T08:15:00Z"),
		}, map[string]int{"circle mark within": 1, "line span": 0, "text date": 1}, 0, 0},
		{"values that are all equal", []biomarker.Incoming{
			glucose(t, "", "92", "mg/dL", "2026-03-02"), glucose(t, "", "92.0", "mg/dL", "2025-03-02"), glucose(t, "", "92", "mg/dL", "2024-03-02"),
		}, map[string]int{"circle mark within": 3, "line curve": 2, "rect band": 1, "text date": 2}, 0, 0},
		{"a value beyond what can be measured has an arrow, and no curve to it", []biomarker.Incoming{
			glucose(t, "", "92", "mg/dL", "2026-03-02"), glucose(t, "<", "60", "mg/dL", "2025-03-02"), glucose(t, ">=", "600", "mg/dL", "2024-03-02"),
		}, map[string]int{"path arrow": 2, "line curve": 0, "circle mark within": 1, "path mark unjudged": 1, "path mark critical": 1}, 0, 0},
		{"months and years have their length", []biomarker.Incoming{
			glucose(t, "", "92", "mg/dL", "2026-03"), glucose(t, "", "90", "mg/dL", "2024"),
		}, map[string]int{"line span": 2, "line curve": 1}, 0, 0},
		{"what is outside has a shape of its own", []biomarker.Incoming{
			glucose(t, "", "130", "mg/dL", "2026-03-02"), glucose(t, "", "60", "mg/dL", "2025-03-02"), glucose(t, "", "20", "mg/dL", "2024-03-02"),
		}, map[string]int{"path mark out": 2, "path mark critical": 1, "circle mark within": 0}, 0, 0},
		{"words are listed", []biomarker.Incoming{
			{Code: "glucose-fasting", Text: "haemolysed", Collected: "2026-03-02"}, glucose(t, "", "92", "mg/dL", "2025-03-02"),
		}, map[string]int{"circle mark within": 1, "line curve": 0}, 0, 1},
		{"units of two laboratories are one curve", []biomarker.Incoming{
			glucose(t, "", "5.50", "mmol/L", "2026-03-02"), glucose(t, "", "92", "mg/dL", "2025-03-02"),
		}, map[string]int{"circle mark within": 2, "line curve": 1, "rect band": 1}, 1, 0},
		{"a range that changed is drawn from where it did", []biomarker.Incoming{
			{Code: "tsh", Value: decimal(t, "2.4"), Unit: "m[IU]/L", Range: biomarker.Range{High: decimal(t, "3")}, Collected: "2026"},
			{Code: "tsh", Value: decimal(t, "2.4"), Unit: "m[IU]/L", Collected: "2025"},
			{Code: "tsh", Value: decimal(t, "2.4"), Unit: "m[IU]/L", Collected: "2024"},
		}, map[string]int{"rect band": 2, "line limit": 3}, 0, 0},
		{"nought alone", []biomarker.Incoming{
			{Code: "basophils", Value: decimal(t, "0"), Unit: "10*3/uL", Collected: "2026"},
		}, map[string]int{"line curve": 0}, 0, 0},
		{"numbers that a binary fraction can't tell apart", []biomarker.Incoming{
			glucose(t, "", "100000000000000.0000000001", "mg/dL", "2026"), glucose(t, "", "100000000000000.0000000002", "mg/dL", "2025"),
		}, map[string]int{"line curve": 1}, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, language := range []string{"en", "de"} {
				h := NewHistory(words(t, language), judged(t, test.results...), "")
				found := shapes(t, string(h.SVG()))
				for shape, want := range test.want {
					if found[shape] != want {
						t.Errorf("there are %d of %s, want %d: %v", found[shape], shape, want, found)
					}
				}
				if h.Converted != test.converted || h.Listed != test.listed {
					t.Errorf("%d are converted and %d listed, want %d and %d", h.Converted, h.Listed, test.converted, test.listed)
				}
				for _, said := range append(h.Legend(), h.Title(), h.Description()) {
					if strings.ContainsAny(said, "{}") || strings.HasPrefix(said, "results.chart") {
						t.Errorf("it says %q", said)
					}
				}
			}
		})
	}
}

func TestHistory_OfWordsAloneIsNoChart(t *testing.T) {
	t.Parallel()
	if h := NewHistory(words(t, "en"), judged(t, biomarker.Incoming{Code: "urine-nitrite", Text: "Negative", Collected: "2026"}), ""); h != nil {
		t.Errorf("it is %+v", h)
	}
}

func TestHistory_SaysInWordsWhatItShows(t *testing.T) {
	t.Parallel()
	h := NewHistory(words(t, "de"), judged(t, glucose(t, "", "5.50", "mmol/L", "2026-03-02"), glucose(t, "<", "60", "mg/dL", "2025-02")), "")
	const title, description = "Glukose, nüchtern im Verlauf, in mmol/L", "2 Werte, Februar 2025 bis 2. März 2026. Niedrigster: < 60 mg/dL. Höchster: 5,50 mmol/L. Neuester: 5,50 mmol/L. Normal; der Bereich ist ab 3,9, unter 5,6."
	if h.Title() != title || h.Description() != description {
		t.Errorf("it says %q and %q", h.Title(), h.Description())
	}
}

// What a laboratory wrote is text in a chart, whatever it looks like.
func TestSec421_AChartHoldsNoMarkupOfALaboratory(t *testing.T) {
	t.Parallel()
	results := judged(t, biomarker.Incoming{
		Code: "ana-titre", Text: "1:160", Collected: "2026-03-02", RangeText: `"><script>alert(1)</script>`,
	})
	results[0].Text = `1:160"/><script>alert(1)</script>`
	h := NewHistory(words(t, "en"), results, "")
	for _, svg := range []string{string(h.SVG()), string(h.Inline()), string(Gauge(&results[0]))} {
		if strings.Contains(svg, "<script") {
			t.Errorf("it holds a script: %s", svg)
		}
	}
	shapes(t, string(h.SVG()))
}

func TestGauge_PutsAValueWhereItLiesOnItsRange(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		result biomarker.Incoming
		want   string // empty: there is no gauge
	}{
		"in the middle":       {glucose(t, "", "85", "mg/dL", "2026"), `cx="50%"`},
		"far above":           {glucose(t, "", "850", "mg/dL", "2026"), `<svg x="97%"`},
		"far below":           {glucose(t, "", "1", "mg/dL", "2026"), `<svg x="3%"`},
		"an upper limit only": {biomarker.Incoming{Code: "crp", Value: decimal(t, "2"), Range: biomarker.Range{High: decimal(t, "4")}, Unit: "mg/L", Collected: "2026"}, `cx="33%"`},
		"a lower limit only":  {biomarker.Incoming{Code: "crp", Value: decimal(t, "4"), Range: biomarker.Range{Low: decimal(t, "4")}, Unit: "mg/L", Collected: "2026"}, `cx="34%"`},
		"words":               {biomarker.Incoming{Code: "urine-nitrite", Text: "Negative", Collected: "2026"}, ""},
		"a range of no width": {biomarker.Incoming{Code: "crp", Value: decimal(t, "4"), Range: biomarker.Range{Low: decimal(t, "4"), High: decimal(t, "4")}, Unit: "mg/L", Collected: "2026"}, ""},
	} {
		results := judged(t, test.result)
		got := string(Gauge(&results[0]))
		if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestWords_SayARangeAsItHolds(t *testing.T) {
	t.Parallel()
	low, high := decimal(t, "0.40"), decimal(t, "4")
	for want, r := range map[string]biomarker.Range{
		"0,40–4":                {Low: low, High: high},
		"unter 4":               {High: high, HighExcluded: true},
		"bis 4":                 {High: high},
		"über 0,40":             {Low: low, LowExcluded: true},
		"ab 0,40":               {Low: low},
		"über 0,40 und unter 4": {Low: low, High: high, LowExcluded: true, HighExcluded: true},
		"über 0,40 bis 4":       {Low: low, High: high, LowExcluded: true},
		"ab 0,40, unter 4":      {Low: low, High: high, HighExcluded: true},
	} {
		results := judged(t, biomarker.Incoming{Code: "tsh", Value: decimal(t, "2"), Unit: "m[IU]/L", Range: r, Collected: "2026"})
		if got := words(t, "de").Range(&results[0]); got != want {
			t.Errorf("%+v is %q, want %q", r, got, want)
		}
	}
}
