package hl7

import (
	"errors"
	"fmt"
	"strings"

	"github.com/loop-health/loop/internal/biomarker"
)

// readValue reads value, unit and interval of an OBX.
func readValue(s *segment, in *biomarker.Incoming) error {
	var texts []string
	for _, repetition := range s.repetitions(5) {
		text, err := valueText(s, strings.TrimSpace(s.field(2)), repetition)
		if err != nil {
			return err
		}
		if text != "" {
			texts = append(texts, text)
		}
	}
	if len(texts) == 0 {
		return errors.New("it has no value (OBX-5)")
	}
	in.Text = strings.Join(texts, "; ")
	if len(texts) == 1 {
		in.ReadText()
	}
	in.Unit = or(s.at(6, 1), s.at(6, 2))
	in.ReadRangeText(s.unescape(s.field(7)))
	return nil
}

// valueText writes a value of a data type as text.
func valueText(s *segment, kind, repetition string) (string, error) {
	parts := s.components(repetition)
	switch kind {
	case "NM", "ST", "TX", "FT", "IS", "ID", "SI":
		return strings.TrimSpace(s.unescape(repetition)), nil
	case "SN":
		return structured(parts)
	case "CE", "CWE", "CNE", "CF":
		for _, n := range []int{9, 2, 5, 1, 4} { // the original text, or what the codes say
			if text := part(parts, n); text != "" {
				return text, nil
			}
		}
		return "", nil
	case "ED", "RP":
		return "", errors.New("it is an attached document, which is not read")
	case "":
		return "", errors.New("OBX-2 names no type of value")
	default:
		return "", fmt.Errorf("a value of the type in OBX-2 is not read")
	}
}

// structured writes a structured number (SN) as laboratories write it: <0.1, 1-5,
// 1:160, 2+.
func structured(parts []string) (string, error) {
	comparator, first, separator, second := part(parts, 1), part(parts, 2), part(parts, 3), part(parts, 4)
	switch {
	case first == "" && (comparator != "" || second != ""):
		return "", errors.New("its structured number (SN) has no number")
	case separator == "" && second != "":
		return "", errors.New("its structured number (SN) has two numbers and nothing between")
	case comparator == "=":
		comparator = ""
	case comparator == "<>":
		return "", errors.New("its structured number (SN) says only what it is not")
	}
	return comparator + first + separator + second, nil
}
