package intake

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/fhir"
	"github.com/loop-health/loop/internal/hl7"
	"github.com/loop-health/loop/internal/labcsv"
)

// results are a document's, as the reader of its format gives them.
type results interface {
	// Next gives the next result. A *biomarker.Row is a place where there is none, for
	// a reason. A *biomarker.Malformed ends the document, as io.EOF does.
	Next() (biomarker.Reported, error)
	// Skipped counts what is no result, so far.
	Skipped() int
}

// byteMark begins many a file of UTF-8.
var byteMark = []byte("\xef\xbb\xbf")

// read opens a document and finds out its format by its first bytes. seen is given
// the patients it is about.
func (d *document) read(options *Options, seen func(patient string)) (results, io.Closer, error) {
	opened, err := d.open()
	if err != nil {
		return nil, nil, d.fault(err)
	}
	buffered := bufio.NewReaderSize(&meter{opened, options.Progress}, 64<<10)
	head, err := buffered.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) && len(head) == 0 {
		return nil, nil, errors.Join(d.fault(err), opened.Close())
	}
	if rest, marked := bytes.CutPrefix(head, byteMark); marked {
		_, _ = buffered.Discard(len(byteMark)) // it was peeked at
		head = rest
	}
	head = bytes.TrimLeft(head, " \t\r\n")
	switch {
	case len(head) == 0:
		return nil, nil, errors.Join(d.fault(biomarker.RefuseDocument("", "the document is empty")), opened.Close())
	case head[0] == '{' || head[0] == '[':
		return fhir.NewReader(buffered, seen), opened, nil
	case isHL7(head):
		return hl7.NewReader(buffered, options.Zone, seen), opened, nil
	default:
		return labcsv.NewReader(buffered, options.Layout, options.Zone, seen), opened, nil
	}
}

// isHL7 reports whether a message or a batch of them begins here, framed for a
// connection or not.
func isHL7(head []byte) bool {
	head = bytes.TrimLeft(head, "\x0b")
	return len(head) > 3 && !isLetter(head[3]) && slices.Contains([]string{"MSH", "BHS", "FHS"}, string(head[:3]))
}

func isLetter(b byte) bool {
	return b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' || b >= '0' && b <= '9'
}

// meter says how much is read.
type meter struct {
	r    io.Reader
	each func(bytes int64)
}

// Read reads on.
func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if m.each != nil {
		m.each(int64(n))
	}
	return n, err
}

// fault names the document.
func (d *document) fault(err error) error { return fmt.Errorf("%s: %w", d.name, err) }
