package clinical

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/web"
)

// catalogDocument is the catalogue of biomarkers as apps read it. It is written
// once: the catalogue does not change while a process runs.
type catalogDocument struct {
	body []byte
	etag string
}

func newCatalogDocument(c *biomarker.Catalogue) catalogDocument {
	var document struct {
		Biomarkers []catalogEntry `json:"biomarkers"`
		Count      int            `json:"count"`
	}
	for b := range c.All() {
		document.Biomarkers = append(document.Biomarkers, newCatalogEntry(b))
	}
	document.Count = len(document.Biomarkers)
	body, err := json.Marshal(document)
	if err != nil {
		panic("clinical: the catalogue can't be written: " + err.Error())
	}
	sum := sha256.Sum256(body)
	return catalogDocument{body, `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
}

// serve answers GET /v1/biomarkers/catalog: anyone may read it, from any page.
func (d catalogDocument) serve(w http.ResponseWriter, r *http.Request) error {
	if _, err := web.Negotiate(r, formatJSON); err != nil {
		return err
	}
	w.Header().Set("ETag", d.etag)
	if unchanged(r.Header.Get("If-None-Match"), d.etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	web.WriteEncodedJSON(w, http.StatusOK, d.body)
	return nil
}

// unchanged reports whether a client has the document already (RFC 9110 §13.1.2).
func unchanged(sent, etag string) bool {
	for tag := range strings.SplitSeq(sent, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
			return true
		}
	}
	return false
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
