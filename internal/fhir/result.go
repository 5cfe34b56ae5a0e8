package fhir

import (
	"regexp"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
)

// ProfileLaboratory is the profile of US Core that Observations of a LOINC code are by.
const ProfileLaboratory = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-lab"

// StatusFinal is the status of all that a laboratory has released.
const StatusFinal = "final"

// Resources makes resources of what the platform keeps. The values that all share are
// made once: nobody may alter what is in a resource that it made.
type Resources struct {
	codes    string // the code system of the catalogue
	members  string // the system of members' ids
	category []CodeableConcept
	profile  []string
}

// NewResources makes resources whose own code system is under the base address.
func NewResources(base string) *Resources {
	return &Resources{
		codes:    base + "/CodeSystem/biomarker",
		members:  base + "/NamingSystem/member",
		category: []CodeableConcept{{Coding: []Coding{{System: SystemCategory, Code: codeLaboratory}}}},
		profile:  []string{ProfileLaboratory},
	}
}

// CodeSystem is the system of the catalogue's own codes.
func (m *Resources) CodeSystem() string { return m.codes }

// Observation makes an Observation of a member's result: in the unit that the
// laboratory reported, with its digits.
func (m *Resources) Observation(member loop.MemberID, r *biomarker.Judged) *Observation {
	shown := r.Reported()
	o := &Observation{
		ResourceType: TypeObservation, ID: ObservationID(r.ID), Status: StatusFinal,
		Meta:     &Meta{LastUpdated: Instant(r.ParsedAt)},
		Category: m.category, Code: m.code(r.Biomarker, shown.LOINC),
		Subject:           PatientReference(member),
		EffectiveDateTime: r.Collected(), Issued: Instant(r.ParsedAt),
		Performer:      []Reference{{Display: r.Source}},
		Interpretation: interpretation(r.Judgement),
		ReferenceRange: referenceRange(r.Biomarker, &shown),
	}
	if shown.LOINC != "" {
		o.Meta.Profile = m.profile
	}
	o.setValue(r, &shown)
	return o
}

// code names what was measured. The catalogue's code is there in any unit; LOINC's
// only where one was confirmed for the unit.
func (m *Resources) code(b *biomarker.Biomarker, loinc string) CodeableConcept {
	own := Coding{System: m.codes, Code: string(b.Code), Display: b.Name}
	if loinc == "" {
		return CodeableConcept{Coding: []Coding{own}, Text: b.Name}
	}
	return CodeableConcept{Coding: []Coding{{System: SystemLOINC, Code: loinc}, own}, Text: b.Name}
}

// PatientReference refers to a member.
func PatientReference(member loop.MemberID) *Reference {
	return &Reference{Reference: TypePatient + "/" + PatientID(member)}
}

// setValue gives the value the type that its kind has in FHIR.
func (o *Observation) setValue(r *biomarker.Judged, shown *biomarker.Shown) {
	switch shown.Kind {
	case biomarker.NumberValue, biomarker.TitreValue:
		o.ValueQuantity = quantity(r.Biomarker, r.Value, r.Unit)
		o.ValueQuantity.Comparator = r.Comparator
	case biomarker.OrdinalValue, biomarker.NominalValue:
		o.ValueCodeableConcept = &CodeableConcept{Text: r.Text}
	case biomarker.RangeValue:
		o.ValueRange = between(r)
		if o.ValueRange == nil {
			o.ValueString = r.Text
		}
	default:
		o.ValueString = r.Text
	}
}

// quantity is a number in a unit of the biomarker.
func quantity(b *biomarker.Biomarker, value biomarker.Decimal, unit string) *Quantity {
	if unit == "" {
		return &Quantity{Value: value}
	}
	return &Quantity{Value: value, Unit: b.DisplayOf(unit), System: SystemUCUM, Code: unit}
}

var rangeParts = regexp.MustCompile(`^([0-9.]+)\s*[-–]\s*([0-9.]+)$`)

// between reads 0-2 as a range; nil where it is none, or upside down.
func between(r *biomarker.Judged) *Range {
	parts := rangeParts.FindStringSubmatch(r.Text)
	if parts == nil {
		return nil
	}
	low, lowErr := biomarker.ParseDecimal(parts[1])
	high, highErr := biomarker.ParseDecimal(parts[2])
	if lowErr != nil || highErr != nil || low.Compare(high) > 0 {
		return nil
	}
	return &Range{quantity(r.Biomarker, low, r.Unit), quantity(r.Biomarker, high, r.Unit)}
}

// interpretation says where the value lies. HH and LL are critical on a side that is
// known, AA on one that is not.
func interpretation(j biomarker.Judgement) []CodeableConcept {
	code := interpretationCode(j)
	if code == "" {
		return nil
	}
	return []CodeableConcept{{Coding: []Coding{{System: SystemInterpretation, Code: code}}}}
}

func interpretationCode(j biomarker.Judgement) string {
	switch {
	case j.Direction == biomarker.CriticallyLow:
		return "LL"
	case j.Direction == biomarker.CriticallyHigh:
		return "HH"
	case j.Status == biomarker.Critical:
		return "AA"
	case j.Status == biomarker.High:
		return "H"
	case j.Status == biomarker.Low:
		return "L"
	case j.Status == biomarker.Normal:
		return "N"
	default:
		return ""
	}
}

// referenceRange gives the interval that the value was held against. A bound in an
// Observation is itself inside; one that is not, as of "below 100", stands in the
// text alone.
func referenceRange(b *biomarker.Biomarker, shown *biomarker.Shown) []ReferenceRange {
	limits := shown.Reference
	if limits.Empty() || !limits.Ordered() {
		return nil
	}
	var r ReferenceRange
	if limits.Low.Present() && !limits.LowExcluded {
		r.Low = quantity(b, limits.Low, shown.Unit)
	}
	if limits.High.Present() && !limits.HighExcluded {
		r.High = quantity(b, limits.High, shown.Unit)
	}
	if limits.LowExcluded || limits.HighExcluded {
		r.Text = inWords(limits, b.DisplayOf(shown.Unit))
	}
	return []ReferenceRange{r}
}

// inWords writes an interval as laboratories do: >= 40 and < 100 mg/dL.
func inWords(limits biomarker.Range, unit string) string {
	var parts []string
	for _, end := range []struct {
		limit         biomarker.Decimal
		excluded      bool
		without, with string
	}{{limits.Low, limits.LowExcluded, ">= ", "> "}, {limits.High, limits.HighExcluded, "<= ", "< "}} {
		switch {
		case !end.limit.Present():
		case end.excluded:
			parts = append(parts, end.with+end.limit.String())
		default:
			parts = append(parts, end.without+end.limit.String())
		}
	}
	return strings.TrimSpace(strings.Join(parts, " and ") + " " + unit)
}

// Instant writes a moment as FHIR has it.
func Instant(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
