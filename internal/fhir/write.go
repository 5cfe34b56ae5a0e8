package fhir

import (
	"strconv"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/jsontext"
)

// AppendJSON appends the Observation as JSON, as json.Marshal writes it, without
// reflection. What stands before it ends with a bracket or a colon, or is nothing.
func (o *Observation) AppendJSON(to []byte) []byte {
	w := writer(to)
	w.open('{')
	w.field("resourceType", o.ResourceType)
	w.field("id", o.ID)
	w.meta(o.Meta)
	w.identifiers(o.Identifier)
	w.field("status", o.Status)
	w.concepts("category", o.Category)
	w.concept("code", &o.Code)
	w.reference("subject", o.Subject)
	w.field("effectiveDateTime", o.EffectiveDateTime)
	w.period("effectivePeriod", o.EffectivePeriod)
	w.field("effectiveInstant", o.EffectiveInstant)
	w.field("issued", o.Issued)
	w.references("performer", o.Performer)
	w.values(o)
	w.concept("dataAbsentReason", o.DataAbsentReason)
	w.concepts("interpretation", o.Interpretation)
	w.referenceRanges(o.ReferenceRange)
	w.components(o.Component)
	w.close('}')
	return w
}

func (w *writer) values(o *Observation) {
	w.quantity("valueQuantity", o.ValueQuantity)
	w.concept("valueCodeableConcept", o.ValueCodeableConcept)
	w.field("valueString", o.ValueString)
	w.valueRange("valueRange", o.ValueRange)
	w.ratio("valueRatio", o.ValueRatio)
	if o.ValueInteger != nil {
		w.name("valueInteger")
		*w = strconv.AppendInt(*w, *o.ValueInteger, 10)
	}
	if o.ValueBoolean != nil {
		w.name("valueBoolean")
		*w = strconv.AppendBool(*w, *o.ValueBoolean)
	}
	w.field("valueDateTime", o.ValueDateTime)
}

// writer is JSON as it grows. A value begins with a comma unless it is the first of
// its object or list.
type writer []byte

func (w *writer) open(bracket byte) {
	w.separate()
	*w = append(*w, bracket)
}

func (w *writer) close(bracket byte) { *w = append(*w, bracket) }

func (w *writer) separate() {
	if length := len(*w); length > 0 {
		if last := (*w)[length-1]; last != '{' && last != '[' && last != ':' {
			*w = append(*w, ',')
		}
	}
}

func (w *writer) name(name string) {
	w.separate()
	*w = append(*w, '"')
	*w = append(*w, name...)
	*w = append(*w, '"', ':')
}

// field writes a text that is there.
func (w *writer) field(name, text string) {
	if text == "" {
		return
	}
	w.name(name)
	*w = jsontext.AppendText(*w, text)
}

func (w *writer) decimal(name string, d biomarker.Decimal) {
	if d.Present() {
		w.name(name)
		*w = append(*w, d.String()...)
	}
}

// list writes a list of something, unless it is empty.
func list[T any](w *writer, name string, items []T, each func(*T)) {
	if len(items) == 0 {
		return
	}
	w.name(name)
	w.open('[')
	for i := range items {
		w.open('{')
		each(&items[i])
		w.close('}')
	}
	w.close(']')
}

// object writes something that is there.
func object[T any](w *writer, name string, item *T, fields func(*T)) {
	if item == nil {
		return
	}
	w.name(name)
	w.open('{')
	fields(item)
	w.close('}')
}

func (w *writer) meta(m *Meta) {
	object(w, "meta", m, func(m *Meta) {
		w.field("versionId", m.VersionID)
		w.field("lastUpdated", m.LastUpdated)
		if len(m.Profile) == 0 {
			return
		}
		w.name("profile")
		w.open('[')
		for _, profile := range m.Profile {
			w.separate()
			*w = jsontext.AppendText(*w, profile)
		}
		w.close(']')
	})
}

func (w *writer) identifiers(identifiers []Identifier) {
	list(w, "identifier", identifiers, func(i *Identifier) {
		w.field("system", i.System)
		w.field("value", i.Value)
	})
}

func (w *writer) concepts(name string, concepts []CodeableConcept) {
	list(w, name, concepts, w.conceptFields)
}

func (w *writer) concept(name string, c *CodeableConcept) { object(w, name, c, w.conceptFields) }

func (w *writer) conceptFields(c *CodeableConcept) {
	list(w, "coding", c.Coding, func(c *Coding) {
		w.field("system", c.System)
		w.field("code", c.Code)
		w.field("display", c.Display)
	})
	w.field("text", c.Text)
}

func (w *writer) references(name string, references []Reference) {
	list(w, name, references, w.referenceFields)
}

func (w *writer) reference(name string, r *Reference) { object(w, name, r, w.referenceFields) }

func (w *writer) referenceFields(r *Reference) {
	w.field("reference", r.Reference)
	w.field("display", r.Display)
}

func (w *writer) period(name string, p *Period) {
	object(w, name, p, func(p *Period) {
		w.field("start", p.Start)
		w.field("end", p.End)
	})
}

func (w *writer) quantity(name string, q *Quantity) {
	object(w, name, q, func(q *Quantity) {
		w.decimal("value", q.Value)
		w.field("comparator", string(q.Comparator))
		w.field("unit", q.Unit)
		w.field("system", q.System)
		w.field("code", q.Code)
	})
}

func (w *writer) valueRange(name string, r *Range) {
	object(w, name, r, func(r *Range) {
		w.quantity("low", r.Low)
		w.quantity("high", r.High)
	})
}

func (w *writer) ratio(name string, r *Ratio) {
	object(w, name, r, func(r *Ratio) {
		w.quantity("numerator", r.Numerator)
		w.quantity("denominator", r.Denominator)
	})
}

func (w *writer) referenceRanges(ranges []ReferenceRange) {
	list(w, "referenceRange", ranges, func(r *ReferenceRange) {
		w.quantity("low", r.Low)
		w.quantity("high", r.High)
		w.field("text", r.Text)
	})
}

func (w *writer) components(components []Component) {
	list(w, "component", components, func(c *Component) {
		w.concept("code", &c.Code)
		w.quantity("valueQuantity", c.ValueQuantity)
		w.concept("valueCodeableConcept", c.ValueCodeableConcept)
		w.field("valueString", c.ValueString)
		w.concept("dataAbsentReason", c.DataAbsentReason)
		w.concepts("interpretation", c.Interpretation)
		w.referenceRanges(c.ReferenceRange)
	})
}
