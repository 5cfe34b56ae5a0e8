package biomarker

import "regexp"

// ValueKind says what a result's value is.
type ValueKind string

// The kinds of a value. A biomarker that is usually a number can have another for
// once, such as a text that says why there is none.
const (
	NumberValue  ValueKind = "quantity"
	TitreValue   ValueKind = "titre"   // 1:160
	OrdinalValue ValueKind = "ordinal" // a step of the biomarker's scale
	NominalValue ValueKind = "nominal" // a value of a scale without an order
	RangeValue   ValueKind = "range"   // 0-2, between which the value lies
	TextValue    ValueKind = "text"    // anything else that the laboratory wrote
)

var (
	titreForm = regexp.MustCompile(`^(<=|>=|<|>)?\s*1\s*:\s*([1-9][0-9]{0,6})$`)
	rangeForm = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?\s*[-–]\s*[0-9]+(\.[0-9]+)?$`)
)

// valueKind gives what the result's value is, for its biomarker.
func (b *Biomarker) valueKind(r *Result) ValueKind {
	switch {
	case b.Kind == Titre && r.Value.Present():
		return TitreValue
	case r.Text == "":
		return NumberValue
	case b.Scale != nil && b.scaleValue(r) != "":
		if b.Scale.Ordered {
			return OrdinalValue
		}
		return NominalValue
	case rangeForm.MatchString(r.Text):
		return RangeValue
	default:
		return TextValue
	}
}

// scaleValue gives the value of the biomarker's scale that the laboratory's word
// stands for; empty where it is none.
func (b *Biomarker) scaleValue(r *Result) string {
	if b.Scale == nil {
		return ""
	}
	value, _ := b.Scale.Find(r.Text)
	return value
}

// readTitre gives a titre both its forms: the dilution as a number, which limits are
// compared with, and 1:N as laboratories write it. What was sent in both forms, or
// with two comparators, is refused.
func (r *Result) readTitre() error {
	if r.Value.Present() {
		if r.Text != "" {
			return refuse("value_text", "A titre is sent as a number or as 1:N, not as both.")
		}
		r.Text = string(r.Comparator) + "1:" + r.Value.String()
		return nil
	}
	parts := titreForm.FindStringSubmatch(r.Text)
	if parts == nil {
		return nil
	}
	if own := Comparator(parts[1]); r.Comparator != Exactly && r.Comparator != own {
		return refuse("value_comparator", "The comparator is not the one that the titre is written with.")
	}
	r.Comparator, r.Value = Comparator(parts[1]), Decimal{parts[2]}
	return nil
}

// dilutionForm is what N of 1:N can be.
var dilutionForm = regexp.MustCompile(`^[1-9][0-9]{0,6}$`)
