package hl7

import (
	"strconv"
	"strings"
	"time"
)

// message is where the reading of a message is.
type message struct {
	separators
	number   int
	control  string // MSH-10
	sender   string // MSH-3 and MSH-4
	charset  string // MSH-18
	zone     *time.Location
	passOver bool // it is of another type

	patient string
	order   *order
}

// order is an order and what of its results was read (OBR).
type order struct {
	segment
	report   string // what names its results at the sender
	results  int
	specimen segment // SPM
	inSample bool    // what follows is of the specimen
	times    map[string]int
}

// read takes in a segment of the message.
func (m *message) read(r *Reader, name, text string) error {
	if m.passOver {
		return nil
	}
	decoded, ok := decode(text, m.charset)
	if !ok {
		return r.row("it has characters in a set that MSH-18 does not name, or that is not read")
	}
	s := splitSegment(m.separators, decoded)
	if s.fields[0] != name {
		return r.row("its name is followed by no separator")
	}
	switch name {
	case "PID":
		m.beginPatient(r, &s)
	case "OBR":
		m.beginOrder(&s)
	case "SPM":
		if m.order != nil {
			m.order.specimen, m.order.inSample = s, m.order.results > 0
		}
	case "OBX":
		return m.readResult(r, &s)
	default:
		r.skipped++
	}
	return nil
}

// beginPatient notes whom the message is about from here on: by the first id of PID-3,
// with whoever gave it; without any by name and birth date, which tell patients apart
// and say nothing of who they are.
func (m *message) beginPatient(r *Reader, s *segment) {
	m.order = nil
	id := ""
	for _, field := range []int{3, 2, 4} {
		if id = s.at(field, 1); id != "" {
			if authority := s.at(field, 4); authority != "" {
				id += "^^^" + authority
			}
			break
		}
	}
	if id == "" {
		id = strings.Trim(s.field(5)+"^"+s.field(7), "^")
	}
	m.patient = id
	r.skipped++
	r.seen(id)
}

// beginOrder begins an order. Its results are named by the order's number at the
// laboratory, else at whoever ordered.
func (m *message) beginOrder(s *segment) {
	o := &order{segment: *s, times: make(map[string]int)}
	for _, field := range []int{3, 2} {
		if number := s.field(field); number != "" {
			o.report = m.sender + "|" + strconv.Itoa(field) + "|" + number
			break
		}
	}
	m.order = o
}
