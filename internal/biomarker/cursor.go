package biomarker

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// Position is a place in a list of results, newest first: behind the result
// that it names.
type Position struct {
	CollectedAt time.Time
	ID          loop.ResultID
	// Arrival is the number of the member's newest result when the list was
	// begun. What arrives later is not in the list, so that its pages show
	// every result once, whatever happens between them.
	Arrival int64
}

// Tagger authenticates cursors.
type Tagger interface {
	// Tag authenticates the data. A tag is good for 30 days at the least.
	Tag(data []byte) []byte
	// Check reports whether Tag made the tag for exactly this data.
	Check(data, tag []byte) bool
}

// A cursor is base64url of collection time, arrival, result id and the tag of
// these, the member and the filters.
const (
	cursorIDStart = 16
	cursorIDEnd   = cursorIDStart + 30 // bmk_ and a ULID
)

// cursorEncoding is strict: each place has one cursor. Line breaks, which the
// decoder skips, show in the length.
var cursorEncoding = base64.RawURLEncoding.Strict()

// cursorFor writes a position as a cursor, good for this member and these
// filters alone.
func cursorFor(t Tagger, p Position, member loop.MemberID, q *Query) string {
	raw := make([]byte, 0, cursorIDEnd)
	raw = binary.BigEndian.AppendUint64(raw, uint64(p.CollectedAt.UnixMicro()))
	raw = binary.BigEndian.AppendUint64(raw, uint64(p.Arrival)) //nolint:gosec // G115: counts from 1
	raw = append(raw, p.ID...)
	raw = append(raw, t.Tag(tagged(raw, member, q))...)
	return cursorEncoding.EncodeToString(raw)
}

// position reads the query's cursor: the zero Position without one. A cursor
// that was changed, or comes from another member's list or another query, is a
// ValidationError.
func position(t Tagger, member loop.MemberID, q *Query) (Position, error) {
	if q.Cursor == "" {
		return Position{}, nil
	}
	raw, err := cursorEncoding.DecodeString(q.Cursor)
	if err != nil || len(raw) < cursorIDEnd || len(q.Cursor) != cursorEncoding.EncodedLen(len(raw)) || !t.Check(tagged(raw[:cursorIDEnd], member, q), raw[cursorIDEnd:]) {
		return Position{}, refuse(paramCursor, "This cursor does not belong to this list. Send next_cursor as it came, with the same filters, or leave cursor out to begin with the newest result.")
	}
	return Position{
		CollectedAt: time.UnixMicro(int64(binary.BigEndian.Uint64(raw))).UTC(), //nolint:gosec // G115: the bits that cursorFor wrote
		Arrival:     int64(binary.BigEndian.Uint64(raw[8:])),                   //nolint:gosec // G115: the bits that cursorFor wrote
		ID:          loop.ResultID(raw[cursorIDStart:cursorIDEnd]),
	}, nil
}

// tagged is a place with the list that it is in.
func tagged(place []byte, member loop.MemberID, q *Query) []byte {
	var matching string
	if q.Matching != nil {
		matching = q.Matching.String()
	}
	return fmt.Appendf(nil, "biomarkers cursor 2\x00%x\x00%s\x00%q\x00%s\x00%q\x00%d\x00%d\x00%t\x00%q",
		place, member, q.Codes, q.Category, q.Statuses, q.From.UnixMicro(), q.To.UnixMicro(), q.Latest, matching)
}
