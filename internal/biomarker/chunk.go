package biomarker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// ChunkSize is how many results a chunk holds at most: about as many as one page shows.
const ChunkSize = 64

// Stored is a result as it is kept, with the number by which it came in: a member's
// results are numbered from 1 on.
type Stored struct {
	Result
	Arrival int64
}

// A chunk is the packed form of some of a member's results:
//
//	version, how many texts and numbers a row has, the texts, the rows
//
// Texts are written once and named by their place in the list, where 0 is the empty
// one. A row is the places of its texts, then its numbers; times are microseconds,
// as what they are later than another one. A later version of this package may
// append texts and numbers to the rows: this one passes over what it does not know,
// and what a row lacks is empty.
const chunkVersion = 1

// texts are a result's texts, in the order of a row. A new one comes last.
func (r *Stored) texts() []*string {
	return []*string{
		(*string)(&r.ID), (*string)(&r.Code), (*string)(&r.Comparator), &r.Value.text, &r.Text, &r.Unit,
		&r.Range.Low.text, &r.Range.High.text, (*string)(&r.Flag), &r.Source, (*string)(&r.Precision),
		(*string)(&r.SentBy), &r.LOINC, &r.RangeText,
	}
}

// numbers are a result's numbers, in the order of a row. A new one comes last.
func (r *Stored) numbers() [numbersOfRow]int64 {
	numbers := [numbersOfRow]int64{r.Arrival, r.CollectedAt.UnixMicro(), r.ParsedAt.UnixMicro() - r.CollectedAt.UnixMicro(), r.excluded()}
	if !r.RetractedAt.IsZero() {
		numbers[4] = r.RetractedAt.UnixMicro()
	}
	return numbers
}

const (
	textsOfRow   = 14
	numbersOfRow = 5
)

// Which of the laboratory's limits are excluded.
const (
	lowExcluded  = 1
	highExcluded = 2
)

func (r *Result) excluded() (bits int64) {
	if r.Range.LowExcluded {
		bits |= lowExcluded
	}
	if r.Range.HighExcluded {
		bits |= highExcluded
	}
	return bits
}

// AppendChunk packs results, in their order.
func AppendChunk(to []byte, results []Stored) []byte {
	places, texts := map[string]uint64{"": 0}, []byte(nil)
	for i := range results {
		for _, text := range results[i].texts() {
			if _, known := places[*text]; !known {
				places[*text] = uint64(len(places))
				texts = append(binary.AppendUvarint(texts, uint64(len(*text))), *text...)
			}
		}
	}
	to = append(to, chunkVersion, textsOfRow, numbersOfRow)
	to = append(binary.AppendUvarint(to, uint64(len(places)-1)), texts...) //nolint:gosec // G115: it has the empty text at least
	to = binary.AppendUvarint(to, uint64(len(results)))
	for i := range results {
		for _, text := range results[i].texts() {
			to = binary.AppendUvarint(to, places[*text])
		}
		for _, number := range results[i].numbers() { //nolint:gosec // G602: i is of this slice
			to = binary.AppendVarint(to, number)
		}
	}
	return to
}

// Chunk reads the results of a packed chunk, one after the other.
type Chunk struct {
	rest            string // the rows that were not read yet
	left            int
	texts           []string // by their places
	inRow, ofNumber int      // texts and numbers of a row
}

var errChunk = errors.New("a chunk of results is not as it was written")

// OpenChunk begins to read what AppendChunk packed. The results refer to the text,
// which is copied once.
func OpenChunk(packed []byte) (*Chunk, error) {
	if len(packed) < 3 || packed[0] != chunkVersion {
		return nil, fmt.Errorf("%w: it is of another version", errChunk)
	}
	c := &Chunk{rest: string(packed[3:]), inRow: int(packed[1]), ofNumber: int(packed[2])}
	count, ok := c.count()
	if !ok {
		return nil, errChunk
	}
	c.texts = make([]string, 1, count+1)
	for range count {
		length, ok := c.count()
		if !ok {
			return nil, errChunk
		}
		c.texts = append(c.texts, c.rest[:length])
		c.rest = c.rest[length:]
	}
	if c.left, ok = c.count(); !ok {
		return nil, errChunk
	}
	return c, nil
}

// count reads a number that counts what follows, a byte each at the least.
func (c *Chunk) count() (int, bool) {
	n, ok := c.unsigned()
	return int(n), ok && n <= uint64(len(c.rest)) //nolint:gosec // G115: it is as large as a text is long
}

// unsigned reads as binary.Uvarint does, of a text.
func (c *Chunk) unsigned() (value uint64, ok bool) {
	for i := 0; i < len(c.rest) && i < binary.MaxVarintLen64; i++ {
		b := c.rest[i]
		value |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			c.rest = c.rest[i+1:]
			return value, true
		}
	}
	return 0, false
}

// Left is how many results were not read yet.
func (c *Chunk) Left() int { return c.left }

// Next reads the next result; false where none is left.
func (c *Chunk) Next(into *Stored) (bool, error) {
	if c.left == 0 {
		return false, nil
	}
	c.left--
	if err := c.readTexts(into); err != nil {
		return false, err
	}
	return true, c.readNumbers(into)
}

func (c *Chunk) readTexts(into *Stored) error {
	row := [textsOfRow]string{}
	for i := range c.inRow {
		place, ok := c.unsigned()
		if !ok || place >= uint64(len(c.texts)) {
			return errChunk
		}
		if i < textsOfRow {
			row[i] = c.texts[place]
		}
	}
	into.Result = Result{
		ID: loop.ResultID(row[0]), Code: Code(row[1]), Comparator: Comparator(row[2]), Value: Decimal{row[3]}, Text: row[4], Unit: row[5],
		Range: Range{Low: Decimal{row[6]}, High: Decimal{row[7]}}, Flag: Status(row[8]), Source: row[9], Precision: Precision(row[10]),
		SentBy: loop.ClientID(row[11]), LOINC: row[12], RangeText: row[13],
	}
	return nil
}

func (c *Chunk) readNumbers(into *Stored) error {
	row := [numbersOfRow]int64{}
	for i := range c.ofNumber {
		folded, ok := c.unsigned()
		if !ok {
			return errChunk
		}
		if i < numbersOfRow {
			row[i] = int64(folded>>1) ^ -int64(folded&1)
		}
	}
	into.Arrival = row[0]
	into.CollectedAt, into.ParsedAt = time.UnixMicro(row[1]).UTC(), time.UnixMicro(row[1]+row[2]).UTC()
	into.Range.LowExcluded, into.Range.HighExcluded = row[3]&lowExcluded != 0, row[3]&highExcluded != 0
	if row[4] != 0 {
		into.RetractedAt = time.UnixMicro(row[4]).UTC()
	}
	return nil
}
