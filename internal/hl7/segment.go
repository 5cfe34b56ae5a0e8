package hl7

import (
	"encoding/hex"
	"strings"
)

// separators are a message's own, from the beginning of its header (HL7 v2 §2.5.4).
type separators struct {
	ofFields, ofComponents, ofRepetitions, escape, sub byte
}

// usual are the separators that a header leaves out.
var usual = separators{'|', '^', '~', '\\', '&'}

// readSeparators reads the header of a message or a batch; false where it has none.
func readSeparators(header string) (separators, bool) {
	if len(header) < 5 {
		return separators{}, false
	}
	s := usual
	s.ofFields = header[3]
	given, _, _ := strings.Cut(header[4:], string(s.ofFields))
	if given == "" {
		return separators{}, false
	}
	for i, to := range []*byte{&s.ofComponents, &s.ofRepetitions, &s.escape, &s.sub} {
		if i < len(given) {
			*to = given[i]
		}
	}
	seen := make(map[byte]bool)
	for _, one := range []byte{s.ofFields, s.ofComponents, s.ofRepetitions, s.escape, s.sub} {
		if one < '!' || one > '~' || seen[one] || one >= '0' && one <= '9' || one >= 'A' && one <= 'Z' || one >= 'a' && one <= 'z' {
			return separators{}, false
		}
		seen[one] = true
	}
	return s, true
}

// segment is one line of a message.
type segment struct {
	separators
	fields []string // fields[0] is the name; the n-th field of the standard is fields[n]
}

func splitSegment(s separators, text string) segment {
	fields := strings.Split(text, string(s.ofFields))
	if fields[0] == "MSH" || fields[0] == "BHS" || fields[0] == "FHS" {
		fields = append([]string{fields[0], string(s.ofFields)}, fields[1:]...) // the separator is itself a field
	}
	return segment{s, fields}
}

// field gives a field as it is written; empty where it is not there, or where the
// sender says that it has no value ("").
func (s *segment) field(n int) string {
	if n >= len(s.fields) || s.fields[n] == `""` {
		return ""
	}
	return s.fields[n]
}

// repetitions splits a field into its repetitions.
func (s *segment) repetitions(n int) []string {
	text := s.field(n)
	if text == "" {
		return nil
	}
	return strings.Split(text, string(s.ofRepetitions))
}

// components splits a repetition, and reads each.
func (s *segment) components(repetition string) []string {
	parts := strings.Split(repetition, string(s.ofComponents))
	for i := range parts {
		parts[i] = strings.TrimSpace(s.unescape(parts[i]))
	}
	return parts
}

// at gives the n-th component, from 1, of a field's first repetition.
func (s *segment) at(field, n int) string {
	first, _, _ := strings.Cut(s.field(field), string(s.ofRepetitions))
	return part(s.components(first), n)
}

// part gives the n-th of some parts, from 1.
func part(parts []string, n int) string {
	if n > len(parts) {
		return ""
	}
	return parts[n-1]
}

// unescape reads the escapes of a text (HL7 v2 §2.7). One that is not known stays.
func (s *segment) unescape(text string) string {
	if strings.IndexByte(text, s.escape) < 0 {
		return text
	}
	var read strings.Builder
	for {
		before, rest, found := strings.Cut(text, string(s.escape))
		read.WriteString(before)
		if !found {
			return read.String()
		}
		code, behind, closed := strings.Cut(rest, string(s.escape))
		if !closed {
			read.WriteByte(s.escape)
			read.WriteString(rest)
			return read.String()
		}
		read.WriteString(s.escaped(code))
		text = behind
	}
}

func (s *segment) escaped(code string) string {
	switch {
	case code == "F":
		return string(s.ofFields)
	case code == "S":
		return string(s.ofComponents)
	case code == "T":
		return string(s.sub)
	case code == "R":
		return string(s.ofRepetitions)
	case code == "E":
		return string(s.escape)
	case code == "H" || code == "N":
		return "" // highlighting begins and ends
	case strings.HasPrefix(code, ".br") || strings.HasPrefix(code, ".sp"):
		return " "
	case strings.HasPrefix(code, "X"):
		if bytes, err := hex.DecodeString(code[1:]); err == nil {
			return string(bytes)
		}
	}
	return string(s.escape) + code + string(s.escape)
}
