package biomarker

import (
	"regexp"
	"strings"
	"time"
)

// Incoming is a result as a sender writes it, with a code, spellings and words of
// its own.
type Incoming struct {
	Code       Code       `json:"code,omitempty"`  // of the catalogue; empty: LOINC names it
	LOINC      string     `json:"loinc,omitempty"` // empty: Code names it; both must agree
	Comparator Comparator `json:"comparator,omitempty"`
	Value      Decimal    `json:"value,omitzero"`
	Text       string     `json:"text,omitempty"`
	Unit       string     `json:"unit,omitempty"` // any spelling that is known for the biomarker
	Range      Range      `json:"range,omitzero"`
	RangeText  string     `json:"range_text,omitempty"` // the laboratory's interval in its own words, where it wrote any
	Flag       Status     `json:"flag,omitempty"`
	Source     string     `json:"source,omitempty"`
	Collected  string     `json:"collected"` // RFC 3339, or a date, a month or a year
}

// Read makes a result of what a sender wrote: a ValidationError that names the
// field where something is not understood. Nothing is guessed. The result arrives
// now and has no id yet.
func (c *Catalogue) Read(in *Incoming, now time.Time) (Result, error) {
	b, err := c.named(in)
	if err != nil {
		return Result{}, err
	}
	r := Result{
		Code: b.Code, LOINC: in.LOINC, Comparator: in.Comparator, Value: in.Value, Text: strings.TrimSpace(in.Text),
		Range: in.Range, RangeText: strings.TrimSpace(in.RangeText), Flag: in.Flag, Source: in.Source, ParsedAt: now.UTC().Truncate(time.Microsecond),
	}
	if b.Kind == Titre {
		if err := r.readTitre(); err != nil {
			return Result{}, err
		}
	}
	if err := c.readUnit(b, in.Unit, &r); err != nil {
		return Result{}, err
	}
	if r.CollectedAt, r.Precision, err = readCollected(in.Collected); err != nil {
		return Result{}, err
	}
	return r, nil
}

// named finds the biomarker that a sender names.
func (c *Catalogue) named(in *Incoming) (*Biomarker, error) {
	byCode, known := c.Find(in.Code)
	if in.Code != "" && !known {
		return nil, refuse("biomarker_code", "There is no biomarker with this code. GET /v1/biomarkers/catalog lists them.")
	}
	byLOINC, meant := c.FindLOINC(in.LOINC)
	switch {
	case in.Code == "" && in.LOINC == "":
		return nil, refuse("biomarker_code", "Name the biomarker: its biomarker_code, or a loinc_code.")
	case in.Code == "" && !meant:
		return nil, refuse("loinc_code", "No biomarker of the catalogue has this LOINC code. GET /v1/biomarkers/catalog lists them.")
	case in.Code == "":
		return byLOINC, nil
	case in.LOINC != "" && byLOINC != byCode:
		return nil, refuse("loinc_code", "The LOINC code is not one of %s. Send the right one, or only the biomarker_code.", byCode.Code)
	}
	return byCode, nil
}

// readUnit reads the unit's spelling. A LOINC code is of one property: the mass
// code of glucose with mmol/L contradicts itself, but the unit is what was measured
// in, and limits go by it.
func (c *Catalogue) readUnit(b *Biomarker, spelling string, r *Result) error {
	if !b.Kind.numeric() || spelling == "" && !r.Value.Present() {
		r.Unit = spelling
		return nil
	}
	unit, known := c.ReadUnit(b, spelling)
	if !known && spelling == "" {
		return refuse("unit", "A result of %s needs a unit, one of %s.", b.Code, join(b.units()))
	}
	if !known {
		return refuse("unit", "This is no unit of %s. Its units are %s.", b.Code, join(b.units()))
	}
	r.Unit = unit
	return nil
}

// dateForms are the forms of what is less exact than a moment.
var dateForms = map[Precision]*regexp.Regexp{
	ToTheDay:   regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`),
	ToTheMonth: regexp.MustCompile(`^[0-9]{4}-[0-9]{2}$`),
	ToTheYear:  regexp.MustCompile(`^[0-9]{4}$`),
}

// readCollected reads when a sample was drawn, as exactly as it is given.
func readCollected(text string) (time.Time, Precision, error) {
	layout, precision := time.RFC3339, ToTheMoment
	for candidate, form := range dateForms {
		if form.MatchString(text) {
			layout, precision = candidate.layout(), candidate
		}
	}
	at, err := time.Parse(layout, text)
	if err != nil || precision == ToTheMoment && !timeForm.MatchString(text) {
		return time.Time{}, "", refuse("collected_at", "collected_at is a time such as 2026-03-02T08:15:00Z (RFC 3339), or a date such as 2026-03-02, where only that is known 2026-03 or 2026.")
	}
	return at.UTC().Truncate(time.Microsecond), precision, nil
}
