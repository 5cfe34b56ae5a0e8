package labcsv

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/loop-health/loop/internal/biomarker"
)

// maxLine bounds a line of a file.
const maxLine = 1 << 20

// newText gives a file as UTF-8 without its byte order mark.
func newText(r io.Reader, named encoding.Encoding) io.Reader {
	buffered := bufio.NewReader(r)
	head, _ := buffered.Peek(3) // what can't be read shows when it is
	switch {
	case named != nil:
		return transform.NewReader(buffered, named.NewDecoder())
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return transform.NewReader(buffered, unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM).NewDecoder())
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, _ = buffered.Discard(3) // it was peeked at
	}
	return buffered
}

// lines makes every end of a line LF, as encoding/csv wants it, and bounds the length of
// a record: a quote that is not closed would take in the whole file.
type lines struct {
	from    *bufio.Reader
	afterCR bool
	left    int
}

func newLines(r io.Reader) *lines { return &lines{from: bufio.NewReaderSize(r, 32<<10)} }

// allow lets the reader go on for one more record.
func (l *lines) allow() { l.left = maxLine }

var errLongLine = errors.New("the line is too long")

// Read reads text with LF at the ends of lines.
func (l *lines) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if n > 0 && l.from.Buffered() == 0 {
			return n, nil
		}
		b, err := l.from.ReadByte()
		if err != nil {
			if n > 0 && errors.Is(err, io.EOF) {
				return n, nil
			}
			return n, err
		}
		if l.left--; l.left < -32<<10 { // the reader in between reads ahead
			return n, errLongLine
		}
		follows := l.afterCR && b == '\n'
		if l.afterCR = b == '\r'; l.afterCR {
			b = '\n'
		}
		if !follows {
			p[n] = b
			n++
		}
	}
	return n, nil
}

// checkText says what of a record is no text.
func checkText(place string, record []string) error {
	for _, cell := range record {
		if !utf8.ValidString(cell) {
			return biomarker.RefuseDocument(place, "this is not UTF-8: name the file's character set (charset) in the file of columns")
		}
		for i := range len(cell) {
			if cell[i] == 0 {
				return biomarker.RefuseDocument(place, "there are null characters in it: this is no text, or in UTF-16 without a byte order mark")
			}
		}
	}
	return nil
}
