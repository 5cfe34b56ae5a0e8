package hl7

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/loop-health/loop/internal/biomarker"
)

// readResult makes a result of an OBX.
func (m *message) readResult(r *Reader, s *segment) error {
	o := m.order
	switch {
	case o == nil:
		return r.row("a result without its order (OBR)")
	case o.inSample:
		return r.row("it is about the specimen, not the patient")
	}
	o.results++
	result := biomarker.Reported{Place: r.place(), Patient: m.patient, Report: o.report}
	if result.Names = names(s, 3); len(result.Names) == 0 {
		return r.row("OBX-3 names nothing")
	}
	var err error
	if result.State, err = m.state(s); err != nil {
		return r.row("%v", err)
	}
	if err := m.when(s, &result); err != nil {
		return r.row("%v", err)
	}
	m.nameWithin(s, &result)
	if result.State != biomarker.Deleted {
		if err := readValue(s, &result.Incoming); err != nil {
			return r.row("%v", err)
		}
		if err := readFlags(s, &result.Incoming); err != nil {
			return r.row("%v", err)
		}
	}
	r.pending = append(r.pending, result)
	return nil
}

// systems are the names of code systems (HL7 table 0396) by their URIs. All others, and
// the laboratory's own, mean something at their sender alone.
var systems = map[string]string{"LN": biomarker.SystemLOINC, "LOINC": biomarker.SystemLOINC, "SCT": "http://snomed.info/sct"}

// names lists both codes of OBX-3, LOINC's first; without a code the text.
func names(s *segment, field int) []biomarker.Name {
	var found []biomarker.Name
	for _, at := range []int{1, 4} {
		code, text, system := s.at(field, at), s.at(field, at+1), s.at(field, at+2)
		if code == "" {
			code, system = text, ""
		}
		if code == "" {
			continue
		}
		name := biomarker.Name{System: systems[strings.ToUpper(system)], Code: code}
		if name.System == biomarker.SystemLOINC {
			found = slices.Insert(found, 0, name)
		} else {
			found = append(found, name)
		}
	}
	return found
}

// state says what OBX-11, or without it OBR-25, makes of a result (HL7 tables 0085 and
// 0123).
func (m *message) state(s *segment) (biomarker.State, error) {
	switch status := or(s.field(11), m.order.field(25)); status {
	case "F", "U":
		return biomarker.Final, nil
	case "C", "A":
		return biomarker.Corrected, nil
	case "D", "W":
		return biomarker.Deleted, nil
	case "P", "R", "I", "S", "B":
		return "", fmt.Errorf("its status is %s: send the result when it is final", status)
	case "X", "N", "O", "V":
		return "", fmt.Errorf("its status is %s: there is no result", status)
	default:
		return "", errors.New("OBX-11 has no status that is known")
	}
}

// when reads when the sample was taken: OBX-14, else OBR-7, else SPM-17.
func (m *message) when(s *segment, result *biomarker.Reported) error {
	for _, text := range []string{s.at(14, 1), m.order.at(7, 1), m.order.specimen.rangeStart(17)} {
		if text == "" {
			continue
		}
		at, ok := readTime(text, m.zone)
		if !ok {
			return errors.New("the time of its sample is none")
		}
		result.Incoming.Collected = at.text
		if at.local != "" {
			result.Report += "@" + at.local // two times of a day are two
		}
		return nil
	}
	return errors.New("neither OBX-14 nor OBR-7 says when the sample was taken")
}

// rangeStart gives the beginning of a span of time.
func (s *segment) rangeStart(field int) string {
	start, _, _ := strings.Cut(s.at(field, 1), string(s.sub))
	return start
}

// nameWithin tells results of one code in one order apart: by OBX-4, and by which it
// is. A correction is of the last one.
func (m *message) nameWithin(s *segment, result *biomarker.Reported) {
	if m.order.report == "" {
		return
	}
	if sub := s.field(4); sub != "" {
		result.Report += "#" + sub
	}
	key := result.Report + "|" + result.Names[0].System + "|" + result.Names[0].Code
	if result.State == biomarker.Final {
		m.order.times[key]++
	}
	if count := m.order.times[key]; count > 1 {
		result.Report += fmt.Sprintf("~%d", count)
	}
}

// readFlags reads the laboratory's flags (OBX-8, HL7 table 0078).
func readFlags(s *segment, in *biomarker.Incoming) error {
	for _, repetition := range s.repetitions(8) {
		flag, known := biomarker.ReadFlag(part(s.components(repetition), 1))
		if !known {
			continue
		}
		if in.Flag != biomarker.Unset && in.Flag != flag {
			return errors.New("its flags (OBX-8) contradict each other")
		}
		in.Flag = flag
	}
	return nil
}
