package fhir

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/loop-health/loop/internal/biomarker"
)

// maxResource bounds one resource, and one line of a file with a resource a line.
const maxResource = 4 << 20

// Reader reads the results of a FHIR R4 document: a single resource, a Bundle of any
// length, or NDJSON, a resource a line. It holds one resource in memory at a time.
type Reader struct {
	lines *bufio.Reader
	line  int // the number of the line that was read last
	next  func() (resource, error)

	pending  []found
	patients map[string]string // of the Bundle: a fullUrl, and the reference it stands for
	skipped  int
	seen     func(patient string)
}

// found is a result, or why there is none in its place.
type found struct {
	result biomarker.Reported
	err    error
}

// resource is one resource with its place in the document.
type resource struct {
	place   string
	fullURL string
	raw     json.RawMessage
}

// NewReader makes a reader. seen is given each patient that the document holds or its
// results name, perhaps more than once; it may be nil.
func NewReader(r io.Reader, seen func(patient string)) *Reader {
	if seen == nil {
		seen = func(string) {}
	}
	return &Reader{lines: bufio.NewReaderSize(r, 64<<10), seen: seen, patients: make(map[string]string)}
}

// Skipped counts the resources so far that are no results, such as the patient.
func (r *Reader) Skipped() int { return r.skipped }

// Next gives the next result. A *biomarker.Row is a resource of which no result can
// be made; reading goes on behind it. A *biomarker.Malformed ends the document, as
// io.EOF does.
func (r *Reader) Next() (biomarker.Reported, error) {
	if r.next == nil {
		if err := r.begin(); err != nil {
			return biomarker.Reported{}, err
		}
	}
	for len(r.pending) == 0 {
		one, err := r.next()
		if err != nil {
			return biomarker.Reported{}, err
		}
		if err := r.read(one); err != nil {
			return biomarker.Reported{}, err
		}
	}
	first := r.pending[0]
	r.pending = r.pending[1:]
	return first.result, first.err
}

// begin looks whether the document has a resource in each line or is one resource.
func (r *Reader) begin() error {
	first, err := r.readLine()
	for err == nil && len(bytes.TrimSpace(first)) == 0 {
		first, err = r.readLine()
	}
	switch {
	case errors.Is(err, io.EOF):
		return biomarker.RefuseDocument("", "the document is empty")
	case err != nil && !errors.Is(err, errLongLine):
		return err
	case err == nil && json.Valid(first):
		r.next = r.eachLine(first)
	default:
		r.next = newDocument(io.MultiReader(bytes.NewReader(first), r.lines)).next
	}
	return nil
}

// errLongLine: a line is no resource of its own; what was read of it comes with it.
var errLongLine = errors.New("the line is longer than a resource may be")

// readLine reads a line without its end.
func (r *Reader) readLine() ([]byte, error) {
	var line []byte
	for {
		part, err := r.lines.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull) && len(line) <= maxResource:
			continue
		case errors.Is(err, bufio.ErrBufferFull) || err == nil && len(line) > maxResource:
			return line, errLongLine
		case err != nil && (!errors.Is(err, io.EOF) || len(line) == 0):
			return line, err
		}
		r.line++
		return line, nil
	}
}

// eachLine gives the resources of NDJSON, the first line of which was read.
func (r *Reader) eachLine(line []byte) func() (resource, error) {
	return func() (resource, error) {
		for {
			if line == nil {
				var err error
				if line, err = r.readLine(); errors.Is(err, errLongLine) {
					return resource{}, biomarker.RefuseDocument(fmt.Sprintf("line %d", r.line+1), "a resource has at most %d MB", maxResource>>20)
				} else if err != nil {
					return resource{}, err
				}
			}
			one := resource{place: fmt.Sprintf("line %d", r.line), raw: bytes.TrimSpace(line)}
			line = nil
			if len(one.raw) == 0 {
				continue
			}
			if !json.Valid(one.raw) {
				return resource{}, biomarker.RefuseDocument(one.place, "this is not JSON")
			}
			return one, nil
		}
	}
}

// read makes results of a resource, or opens it where it is a Bundle in a line.
func (r *Reader) read(one resource) error {
	kind, err := kindOf(one)
	if err != nil {
		return err
	}
	switch kind {
	case "Bundle":
		bundle := newDocument(bytes.NewReader(one.raw))
		for {
			entry, err := bundle.next()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			entry.place = one.place + " " + entry.place
			if err := r.readEntry(entry); err != nil {
				return err
			}
		}
	default:
		return r.readKind(kind, one)
	}
}

func (r *Reader) readEntry(entry resource) error {
	kind, err := kindOf(entry)
	if err != nil {
		return err
	}
	if kind == "Bundle" {
		r.refuse(entry.place, "a Bundle in a Bundle is not read")
		return nil
	}
	return r.readKind(kind, entry)
}

func (r *Reader) readKind(kind string, one resource) error {
	switch kind {
	case "Observation":
		r.readObservation(one)
	case "DiagnosticReport":
		r.readReport(one)
	case "Patient":
		r.readPatient(one)
	default:
		r.skipped++
	}
	return nil
}

func (r *Reader) refuse(place, format string, args ...any) {
	r.pending = append(r.pending, found{err: biomarker.RefuseRow(place, format, args...)})
}

// kindOf gives the resource's type.
func kindOf(one resource) (string, error) {
	var head struct {
		ResourceType *string `json:"resourceType"`
	}
	if err := json.Unmarshal(one.raw, &head); err != nil || head.ResourceType == nil {
		return "", biomarker.RefuseDocument(one.place, "this is no FHIR resource: it has no resourceType")
	}
	return *head.ResourceType, nil
}
