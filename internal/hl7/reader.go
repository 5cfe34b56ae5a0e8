package hl7

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
)

// maxSegment bounds a segment.
const maxSegment = 1 << 20

// Reader reads the results of messages. It holds one segment in memory at a time.
type Reader struct {
	segments *bufio.Scanner
	line     int
	zone     *time.Location // of times without one; nil: it is not known
	seen     func(patient string)
	skipped  int

	message *message
	batch   counts
	file    counts
	pending []biomarker.Reported
}

// counts are what a batch or a file says of itself, to be held against what was there.
type counts struct {
	open bool
	held int
}

// NewReader makes a reader. Times without a zone are in the given one; nil: they are
// certain to their date alone. seen is given each patient; it may be nil.
func NewReader(r io.Reader, zone *time.Location, seen func(patient string)) *Reader {
	if seen == nil {
		seen = func(string) {}
	}
	scanner := bufio.NewScanner(r)
	scanner.Buffer(make([]byte, 0, 16<<10), maxSegment)
	scanner.Split(splitLines)
	return &Reader{segments: scanner, zone: zone, seen: seen}
}

// splitLines ends segments at CR, at LF and at both, whichever a sender takes.
func splitLines(data []byte, atEnd bool) (advance int, token []byte, err error) {
	for i, b := range data {
		if b == '\r' || b == '\n' {
			return i + 1, data[:i], nil
		}
	}
	if atEnd && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

// Skipped counts the parts so far that are no results, such as notes.
func (r *Reader) Skipped() int { return r.skipped }

// segmentName begins a segment.
var segmentName = regexp.MustCompile(`^[A-Z][A-Z0-9]{2}`)

// Next gives the next result. A *biomarker.Row is a place without one, for a reason;
// reading goes on behind it. A *biomarker.Malformed ends the document, as io.EOF does.
func (r *Reader) Next() (biomarker.Reported, error) {
	for len(r.pending) == 0 {
		if !r.segments.Scan() {
			return biomarker.Reported{}, r.end()
		}
		r.line++
		text := strings.Trim(r.segments.Text(), "\x0b\x1c \t") // what frames a message on a connection
		if r.line == 1 {
			text = strings.TrimPrefix(text, "\ufeff")
		}
		if text == "" {
			continue
		}
		if err := r.read(text); err != nil {
			return biomarker.Reported{}, err
		}
	}
	first := r.pending[0]
	r.pending = r.pending[1:]
	return first, nil
}

func (r *Reader) end() error {
	switch err := r.segments.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return biomarker.RefuseDocument(r.place(), "a segment has at most %d kB", maxSegment>>10)
	case err != nil:
		return err
	case r.batch.open || r.file.open:
		return biomarker.RefuseDocument(r.place(), "the batch has no end: the file was cut off")
	case r.message == nil && r.file.held == 0 && r.batch.held == 0:
		return biomarker.RefuseDocument("", "there is no message in it")
	}
	return io.EOF
}

// place names the segment that was read last. Empty lines count.
func (r *Reader) place() string { return fmt.Sprintf("segment %d", r.line) }

func (r *Reader) row(format string, args ...any) error {
	place := r.place()
	if r.message != nil && r.message.control != "" {
		place += " (message " + strconv.Itoa(r.message.number) + ")"
	}
	return biomarker.RefuseRow(place, format, args...)
}

// read takes in one segment.
func (r *Reader) read(text string) error {
	switch name := segmentName.FindString(text); name {
	case "":
		return biomarker.RefuseDocument(r.place(), "this is no segment")
	case "MSH":
		return r.begin(text)
	case "FHS":
		return r.open(&r.file, text)
	case "BHS":
		return r.open(&r.batch, text)
	case "BTS":
		r.file.held++
		return r.close(&r.batch, text)
	case "FTS":
		return r.close(&r.file, text)
	default:
		if r.message == nil {
			return biomarker.RefuseDocument(r.place(), "a message begins with MSH")
		}
		return r.message.read(r, name, text)
	}
}

func (r *Reader) open(c *counts, text string) error {
	if _, ok := readSeparators(text); !ok || c.open {
		return biomarker.RefuseDocument(r.place(), "the header of the batch is not as it should be")
	}
	c.open, c.held, r.message = true, 0, nil
	return nil
}

// close ends a batch, or a file of batches, which says how many it held.
func (r *Reader) close(c *counts, text string) error {
	if !c.open {
		return biomarker.RefuseDocument(r.place(), "the end of a batch without its beginning")
	}
	if fields := splitSegment(usual, text).fields; len(fields) > 1 && fields[1] != "" && fields[1] != strconv.Itoa(c.held) {
		return biomarker.RefuseDocument(r.place(), "the batch held %d and says otherwise: something is missing", c.held)
	}
	c.open, r.message = false, nil
	if c == &r.batch && !r.file.open {
		r.file.held++ // there was something
	}
	return nil
}

// begin begins a message.
func (r *Reader) begin(text string) error {
	s, ok := readSeparators(text)
	if !ok {
		return biomarker.RefuseDocument(r.place(), "the header of the message names no separators")
	}
	header := splitSegment(s, text)
	r.batch.held++
	number := 1
	if r.message != nil {
		number = r.message.number + 1
	}
	r.message = &message{separators: s, number: number, charset: header.field(18), zone: zoneOf(header.at(7, 1), r.zone)}
	m := r.message
	m.control, m.sender = header.field(10), header.field(3)+"|"+header.field(4)
	if kind, event := header.at(9, 1), header.at(9, 2); kind != "ORU" || event != "" && event != "R01" {
		m.passOver = true
		return r.row("the message is no ORU^R01: only results are read")
	}
	return nil
}
