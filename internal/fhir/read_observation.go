package fhir

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/loop-health/loop/internal/biomarker"
)

// decode reads a resource. What is wrong with it is a sentence without its content.
func decode(raw json.RawMessage, into any) error {
	if err := checkNames(raw); err != nil {
		return err
	}
	err := json.Unmarshal(raw, into)
	if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s has the wrong type", elementPath(kind.Field))
	}
	if err != nil {
		return errors.New("a number in it is no decimal number of usual length")
	}
	return nil
}

// elementPath takes out of a path what encoding/json puts in for embedded structs.
func elementPath(path string) string {
	return strings.NewReplacer("readWhen.", "", "readPart.", "").Replace(path)
}

// readObservation makes results of an Observation: its own, and those of its
// components.
func (r *Reader) readObservation(one resource) {
	var o readObservation
	if err := decode(one.raw, &o); err != nil {
		r.refuse(one.place, "%v", err)
		return
	}
	r.readContained(one, o.Contained)
	frame, err := r.frame(one, &o)
	if err != nil {
		r.pending = append(r.pending, found{err: err})
		return
	}
	if frame.State == biomarker.Deleted || !o.isPanel() {
		r.readPart(frame, &o.readPart)
	}
	for i := range o.Component {
		part := frame
		part.Place = fmt.Sprintf("%s component[%d]", one.place, i)
		part.Report += fmt.Sprintf("#component[%d]", i)
		r.readPart(part, &o.Component[i])
	}
	if len(o.Component) == 0 && o.isPanel() {
		r.skipped++
	}
}

// isPanel: an Observation that only holds others together.
func (o *readObservation) isPanel() bool {
	return (len(o.HasMember) > 0 || len(o.Component) > 0) && len(o.values()) == 0
}

// frame is what all results of an Observation share.
func (r *Reader) frame(one resource, o *readObservation) (biomarker.Reported, error) {
	frame := biomarker.Reported{Place: one.place, Report: reportOf(one, o)}
	switch o.Status {
	case "final":
	case "amended", "corrected":
		frame.State = biomarker.Corrected
	case "entered-in-error":
		frame.State = biomarker.Deleted
	case "registered", "preliminary":
		return frame, biomarker.RefuseRow(one.place, "status is %s: send the result when it is final", o.Status)
	case "cancelled":
		return frame, biomarker.RefuseRow(one.place, "status is cancelled: there is no result")
	default:
		return frame, biomarker.RefuseRow(one.place, "status is none of final, amended, corrected and entered-in-error")
	}
	if len(o.ModifierExtension) > 0 || o.ImplicitRules != "" {
		return frame, biomarker.RefuseRow(one.place, "it has modifierExtension or implicitRules, which can change what it means")
	}
	patient, err := r.patientOf(o.Subject)
	if err != nil {
		return frame, biomarker.RefuseRow(one.place, "%v", err)
	}
	frame.Patient = patient
	if frame.Incoming.Collected, err = o.when(); err != nil {
		return frame, biomarker.RefuseRow(one.place, "%v", err)
	}
	return frame, nil
}

// reportOf names an Observation as its sender does: by an identifier, else by its
// address, else by its id.
func reportOf(one resource, o *readObservation) string {
	for _, identifier := range o.Identifier {
		if identifier.Value != "" {
			return identifier.System + "|" + identifier.Value
		}
	}
	if one.fullURL != "" {
		return one.fullURL
	}
	if o.ID != "" {
		return "Observation/" + o.ID
	}
	return ""
}

// when gives the time of the sample; of a period its beginning.
func (w *readWhen) when() (string, error) {
	switch {
	case w.EffectiveDateTime != "":
		return w.EffectiveDateTime, nil
	case w.EffectiveInstant != "":
		return w.EffectiveInstant, nil
	case w.EffectivePeriod != nil && w.EffectivePeriod.Start != "":
		return w.EffectivePeriod.Start, nil
	default:
		return "", errors.New("it says not when the sample was taken: effectiveDateTime, effectiveInstant or effectivePeriod.start")
	}
}

// readPart makes a result of an Observation or a component.
func (r *Reader) readPart(result biomarker.Reported, part *readPart) {
	result.Names = part.Code.names()
	if len(result.Names) == 0 {
		r.refuse(result.Place, "code has neither a code nor a text")
		return
	}
	if result.State != biomarker.Deleted {
		if err := part.value(&result.Incoming); err != nil {
			r.refuse(result.Place, "%v", err)
			return
		}
		part.interval(&result.Incoming)
		if err := part.flag(&result.Incoming); err != nil {
			r.refuse(result.Place, "%v", err)
			return
		}
	}
	r.pending = append(r.pending, found{result: result})
}

// names lists the codes, LOINC's first; without any the text.
func (c *CodeableConcept) names() []biomarker.Name {
	var names []biomarker.Name
	for _, coding := range c.Coding {
		if coding.Code != "" {
			names = append(names, biomarker.Name{System: coding.System, Code: coding.Code})
		}
	}
	slices.SortStableFunc(names, func(a, b biomarker.Name) int { return loincFirst(a) - loincFirst(b) })
	if len(names) == 0 && c.words() != "" {
		names = append(names, biomarker.Name{Code: c.words()})
	}
	return names
}

func loincFirst(n biomarker.Name) int {
	if n.System == SystemLOINC {
		return 0
	}
	return 1
}

// words is what a concept says to people; without that, its code.
func (c *CodeableConcept) words() string {
	if text := strings.TrimSpace(c.Text); text != "" {
		return text
	}
	for _, coding := range c.Coding {
		if coding.Display != "" {
			return strings.TrimSpace(coding.Display)
		}
	}
	for _, coding := range c.Coding {
		if coding.Code != "" {
			return coding.Code
		}
	}
	return ""
}

// readContained reads the Observations that a resource holds inside.
func (r *Reader) readContained(in resource, contained []json.RawMessage) {
	for i, raw := range contained {
		inner := resource{place: fmt.Sprintf("%s contained[%d]", in.place, i), raw: raw}
		if kind, err := kindOf(inner); err == nil && kind == "Observation" {
			r.readObservation(inner)
		}
	}
}

// readReport reads the Observations inside a DiagnosticReport; those that it points
// to come by themselves.
func (r *Reader) readReport(one resource) {
	var report readReportResource
	if err := decode(one.raw, &report); err != nil {
		r.refuse(one.place, "%v", err)
		return
	}
	if report.Status == "entered-in-error" || report.Status == "cancelled" {
		r.refuse(one.place, "the report's status is %s: send its results with that status", report.Status)
		return
	}
	r.skipped++
	r.readContained(one, report.Contained)
}
