package labcsv

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
)

// separators are by what a header may be split, the likeliest first.
const separators = ",;\t|"

// Reader reads the results of a CSV file, one line at a time.
type Reader struct {
	lines   *lines
	csv     *csv.Reader
	layout  *Layout // nil: it has to be a known export
	from    io.Reader
	zone    *time.Location
	seen    func(patient string)
	date    string
	columns map[string]int
	skipped int
	started bool
}

// NewReader makes a reader. Without a layout the file has to be an export that is known.
// Times without a zone are in the given one; nil: they are certain to their date alone.
// seen is given each patient; it may be nil.
func NewReader(r io.Reader, layout *Layout, zone *time.Location, seen func(patient string)) *Reader {
	if seen == nil {
		seen = func(string) {}
	}
	return &Reader{from: r, layout: layout, zone: zone, seen: seen}
}

// Skipped counts the lines so far that are empty.
func (r *Reader) Skipped() int { return r.skipped }

// Next gives the next result. A *biomarker.Row is a line without one, for a reason;
// reading goes on behind it. A *biomarker.Malformed ends the file, as io.EOF does.
func (r *Reader) Next() (biomarker.Reported, error) {
	if !r.started {
		if err := r.begin(); err != nil {
			return biomarker.Reported{}, err
		}
		r.started = true
	}
	for {
		record, err := r.record()
		if err != nil {
			return biomarker.Reported{}, err
		}
		if !slices.ContainsFunc(record, func(cell string) bool { return strings.TrimSpace(cell) != "" }) {
			r.skipped++
			continue
		}
		return r.read(record)
	}
}

// record reads a line of the file.
func (r *Reader) record() ([]string, error) {
	r.lines.allow()
	record, err := r.csv.Read()
	if errors.Is(err, io.EOF) {
		return nil, io.EOF
	}
	if errors.Is(err, errLongLine) {
		return nil, biomarker.RefuseDocument("", "a line has more than %d kB, or a quote is not closed", maxLine>>10)
	}
	if fault, ok := errors.AsType[*csv.ParseError](err); ok {
		return nil, biomarker.RefuseDocument(fmt.Sprintf("line %d", fault.Line), "a quote stands where CSV allows none, or is not closed")
	}
	if err != nil {
		return nil, err
	}
	return record, checkText(r.place(), record)
}

func (r *Reader) place() string {
	line, _ := r.csv.FieldPos(0)
	return fmt.Sprintf("line %d", line)
}

// begin reads the header and finds out how the file is laid out.
func (r *Reader) begin() error {
	var layout Layout
	if r.layout != nil {
		layout = *r.layout
	}
	charset, err := layout.charset()
	if err != nil {
		return err
	}
	r.lines = newLines(newText(r.from, charset))
	header, err := r.header(layout.Separator)
	if err != nil {
		return err
	}
	if r.layout == nil {
		i := slices.IndexFunc(known, func(l Layout) bool { return l.Columns.fits(header) })
		if i < 0 {
			return biomarker.RefuseDocument("line 1", "this is no export that is known: say which column holds what, in a file of columns")
		}
		layout = known[i]
	}
	if !layout.Columns.fits(header) {
		return biomarker.RefuseDocument("line 1", "a column that the file of columns names is not there")
	}
	r.layout = &layout
	if r.date, err = dateLayout(layout.Date); err != nil {
		return err
	}
	r.columns = make(map[string]int)
	for i, name := range header {
		if _, twice := r.columns[name]; twice && slices.Contains(layout.Columns.named(), name) {
			return biomarker.RefuseDocument("line 1", "a column of this name is there twice")
		}
		r.columns[name] = i
	}
	return nil
}

// header reads the first line, which may itself say by what lines are split.
func (r *Reader) header(separator string) ([]string, error) {
	for {
		r.lines.allow()
		line, err := r.firstLine()
		if err != nil {
			return nil, err
		}
		if said, found := strings.CutPrefix(strings.ToLower(line), "sep="); found && separator == "" {
			if len(said) != 1 || !strings.Contains(separators, said) {
				return nil, biomarker.RefuseDocument("line 1", "sep= names no separator that is read: comma, semicolon, tab or bar")
			}
			separator = said
			continue
		}
		if separator == "" {
			separator = likeliest(line)
		}
		r.csv = csv.NewReader(io.MultiReader(strings.NewReader(line+"\n"), r.lines))
		r.csv.Comma, r.csv.FieldsPerRecord, r.csv.ReuseRecord = rune(separator[0]), -1, true
		record, err := r.record()
		if errors.Is(err, io.EOF) {
			return nil, biomarker.RefuseDocument("", "the file is empty")
		}
		header := slices.Clone(record)
		for i := range header {
			header[i] = strings.TrimSpace(header[i])
		}
		return header, err
	}
}

// firstLine reads to the end of a line, byte by byte: what follows is for encoding/csv.
func (r *Reader) firstLine() (string, error) {
	var line []byte
	one := make([]byte, 1)
	for {
		n, err := r.lines.Read(one)
		switch {
		case errors.Is(err, errLongLine):
			return "", biomarker.RefuseDocument("line 1", "a line has at most %d kB", maxLine>>10)
		case errors.Is(err, io.EOF):
			return string(line), nil
		case err != nil:
			return "", err
		case n == 1 && one[0] == '\n':
			return string(line), nil
		}
		line = append(line, one[:n]...)
	}
}

// likeliest gives the separator that a header has most of.
func likeliest(line string) string {
	best := ","
	for _, separator := range strings.Split(separators, "") {
		if strings.Count(line, separator) > strings.Count(line, best) {
			best = separator
		}
	}
	return best
}
