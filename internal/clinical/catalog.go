package clinical

import (
	"encoding/json"

	"github.com/loop-health/loop/internal/biomarker"
)

// newCatalogDocument writes the catalogue of biomarkers as apps read it. It does not
// change while a process runs.
func newCatalogDocument(c *biomarker.Catalogue) document {
	var list struct {
		Biomarkers []catalogEntry `json:"biomarkers"`
		Count      int            `json:"count"`
	}
	for b := range c.All() {
		list.Biomarkers = append(list.Biomarkers, newCatalogEntry(b))
	}
	list.Count = len(list.Biomarkers)
	body, err := json.Marshal(list)
	if err != nil {
		panic("clinical: the catalogue can't be written: " + err.Error())
	}
	return newDocument(body)
}

// catalogEntry is a biomarker as apps read it.
type catalogEntry struct {
	Code         biomarker.Code     `json:"code"`
	Name         string             `json:"name"`
	Category     biomarker.Category `json:"category"`
	Kind         biomarker.Kind     `json:"kind"`
	Conventional *catalogMeasure    `json:"conventional"` // null: it has no unit
	SI           *catalogMeasure    `json:"si"`
	OtherUnits   []string           `json:"other_units"`
	NormalValues []string           `json:"normal_values"`
	References   []catalogReference `json:"references"`
}

type catalogMeasure struct {
	LOINC    *string `json:"loinc_code"`
	Unit     string  `json:"unit"`
	Display  string  `json:"unit_display"`
	Decimals int     `json:"decimals"`
}

// catalogReference is what a result is held against, for one sex and band of ages;
// null is any.
type catalogReference struct {
	Sex          *string      `json:"sex"`
	AgeFrom      *int         `json:"age_from"`
	AgeBelow     *int         `json:"age_below"`
	Conventional catalogRange `json:"conventional"`
	SI           catalogRange `json:"si"`
	Critical     catalogRange `json:"critical"` // in the conventional unit: at most low, at least high
	Source       string       `json:"source"`
}

type catalogRange struct {
	Low          biomarker.Decimal `json:"low"`
	LowIncluded  *bool             `json:"low_included"`
	High         biomarker.Decimal `json:"high"`
	HighIncluded *bool             `json:"high_included"`
}

func newCatalogEntry(b *biomarker.Biomarker) catalogEntry {
	entry := catalogEntry{
		Code: b.Code, Name: b.Name, Category: b.Category, Kind: b.Kind,
		Conventional: newCatalogMeasure(b.Measure), SI: newCatalogMeasure(b.SI),
		OtherUnits: []string{}, NormalValues: append([]string{}, b.Normal...), References: []catalogReference{},
	}
	for _, alternative := range b.Alternatives {
		entry.OtherUnits = append(entry.OtherUnits, alternative.Unit)
	}
	for i := range b.Intervals {
		if !b.Intervals[i].Reference.Empty() {
			entry.References = append(entry.References, newCatalogReference(&b.Intervals[i]))
		}
	}
	return entry
}

func newCatalogMeasure(m biomarker.Measure) *catalogMeasure {
	if m.Unit == "" && m.LOINC == "" {
		return nil
	}
	return &catalogMeasure{LOINC: present(m.LOINC), Unit: m.Unit, Display: m.Display, Decimals: m.Decimals}
}

func newCatalogReference(i *biomarker.Interval) catalogReference {
	return catalogReference{
		Sex: present(string(i.Sex)), AgeFrom: present(i.Ages.From), AgeBelow: present(i.Ages.Below),
		Conventional: newCatalogRange(i.Reference), SI: newCatalogRange(i.SIReference), Critical: newCatalogRange(i.Critical),
		Source: i.Source,
	}
}

func newCatalogRange(r biomarker.Range) catalogRange {
	return catalogRange{r.Low, included(r.Low, r.LowExcluded), r.High, included(r.High, r.HighExcluded)}
}

func included(limit biomarker.Decimal, excluded bool) *bool {
	if !limit.Present() {
		return nil
	}
	in := !excluded
	return &in
}

// present gives null for what is not there.
func present[T comparable](value T) *T {
	var none T
	if value == none {
		return nil
	}
	return &value
}
