package tables

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// Which chunks can hold results of a selection: those that had arrived ($2), were
// collected from $3 on and before $4, and not behind $5.
const (
	chunksInView = ` FROM result_chunks WHERE member_id = $1 AND first_arrival <= $2 AND newest >= $3 AND oldest < $4 AND oldest <= $5`
	newestChunks = ` ORDER BY newest DESC, number DESC`

	// selectFirstChunks names the newest chunks, and gives what is in the first two: the
	// newest is often a small one.
	selectFirstChunks = `SELECT coalesce((SELECT max(last_arrival) FROM result_chunks WHERE member_id = $1), 0), named.number, named.newest, f.sealed
		FROM (SELECT number, newest` + chunksInView + newestChunks + ` LIMIT $6) AS named
		LEFT JOIN result_chunks AS f ON f.member_id = $1 AND f.number = named.number AND f.number IN (SELECT number` + chunksInView + newestChunks + ` LIMIT 2)
		ORDER BY named.newest DESC, named.number DESC`
	selectChunkNumbers = `SELECT number, newest` + chunksInView + newestChunks
	selectSomeChunks   = `SELECT number, sealed FROM result_chunks WHERE member_id = $1 AND number IN ($2, $3, $4, $5, $6, $7, $8, $9)`
	selectChunksOfID   = `SELECT number, sealed FROM result_chunks WHERE member_id = $1 AND low_id <= $2 AND high_id >= $2`
)

// How many chunks are named at first, and how many are read at once.
const (
	firstChunks = 9
	someChunks  = 8
)

// ListResults hands the results of a selection to each (biomarker.Results).
//
// What is in view is fixed by the first statement. A chunk that gets more results
// meanwhile keeps those that it had, and what has arrived since is passed over.
func (s Clinical) ListResults(ctx context.Context, member loop.MemberID, sel biomarker.Selection, each func(*biomarker.Result) bool) (arrival int64, err error) {
	if listed, arrival, err := s.listPlain(ctx, member, sel, each); listed || err != nil {
		return arrival, err
	}
	key, err := s.keys.Key(ctx, member, credential.ForResults)
	if errors.Is(err, loop.ErrNotFound) || errors.Is(err, credential.ErrErased) {
		return 0, nil // there never was a result, or they are gone for good
	}
	if err != nil {
		return 0, err
	}
	r := newListing(sel, each)
	places, err := s.readFirst(ctx, key, member, r)
	if err == nil && r.named == firstChunks { // there may be more
		places, err = s.unread(ctx, member, r)
	}
	if err == nil {
		err = s.readRest(ctx, key, member, r, places)
	}
	if err != nil && !errors.Is(err, errEnough) {
		return 0, fmt.Errorf("reading results: %w", err)
	}
	return r.arrival, nil
}

// chunkPlace is a chunk that was not read yet.
type chunkPlace struct{ number, newest int64 }

// readFirst reads the newest chunks, hands out what no other can come before, and gives
// the next ones.
func (s Clinical) readFirst(ctx context.Context, key *credential.DataKey, member loop.MemberID, r *listing) (next []chunkPlace, err error) {
	err = s.db.Rows(ctx, func(row Scanner) error {
		var p chunkPlace
		var arrival int64
		var content []byte
		if err := row.Scan(&arrival, &p.number, &p.newest, blob(func(b []byte) error { content = b; return nil })); err != nil {
			return err
		}
		r.named++
		if r.arrival == 0 {
			r.arrival = arrival
		}
		if content == nil {
			next = append(next, p)
			return nil
		}
		return s.add(key, member, r, p.number, content)
	}, selectFirstChunks, append(r.view(member), firstChunks)...)
	if err != nil {
		return nil, err
	}
	return next, r.handOut(before(next))
}

// before is the moment after which nothing of these chunks, newest first, was collected.
func before(next []chunkPlace) int64 {
	if len(next) == 0 {
		return math.MinInt64
	}
	return next[0].newest
}

// unread names all chunks that were not read yet.
func (s Clinical) unread(ctx context.Context, member loop.MemberID, r *listing) (places []chunkPlace, err error) {
	err = s.db.Rows(ctx, func(row Scanner) error {
		var p chunkPlace
		err := row.Scan(&p.number, &p.newest)
		if !slices.Contains(r.read, p.number) {
			places = append(places, p)
		}
		return err
	}, selectChunkNumbers, r.view(member)...)
	return places, err
}

// readRest reads chunks as long as their results are wanted: one, and then some at a
// time.
func (s Clinical) readRest(ctx context.Context, key *credential.DataKey, member loop.MemberID, r *listing, places []chunkPlace) error {
	for most := 1; len(places) > 0; most = someChunks {
		some := places[:min(most, len(places))]
		places = places[len(some):]
		args := make([]any, 1+someChunks)
		args[0] = member
		for i := range someChunks {
			args[1+i] = some[min(i, len(some)-1)].number
		}
		err := s.db.Rows(ctx, func(row Scanner) error {
			var number int64
			return row.Scan(&number, blob(func(b []byte) error { return s.add(key, member, r, number, b) }))
		}, selectSomeChunks, args...)
		if err == nil {
			err = r.handOut(before(places))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s Clinical) add(key *credential.DataKey, member loop.MemberID, r *listing, number int64, sealed []byte) error {
	opened, err := openChunk(key, member, number, sealed)
	if err != nil {
		return err
	}
	r.read = append(r.read, number)
	return r.add(opened)
}

// FindResult gives one of the member's results (biomarker.Results).
func (s Clinical) FindResult(ctx context.Context, member loop.MemberID, id loop.ResultID) (*biomarker.Result, error) {
	if found, err := s.findPlain(ctx, member, id); found != nil || err != nil {
		return found, err
	}
	key, err := s.keys.Key(ctx, member, credential.ForResults)
	if err != nil {
		return nil, noneOfErased(err)
	}
	var found *biomarker.Result
	err = s.db.Rows(ctx, func(row Scanner) error {
		c, err := scanChunk(row, key, member)
		if err != nil {
			return err
		}
		if r := c.find(id); r != nil && r.RetractedAt.IsZero() {
			found = &r.Result
		}
		return nil
	}, selectChunksOfID, member, id)
	if err == nil && found == nil {
		err = loop.ErrNotFound
	}
	return found, err
}

// noneOfErased says of a member who was erased what is said of one who never was.
func noneOfErased(err error) error {
	if errors.Is(err, credential.ErrErased) {
		return loop.ErrNotFound
	}
	return err
}

func scanChunk(row Scanner, key *credential.DataKey, member loop.MemberID) (*chunk, error) {
	var number int64
	var sealed []byte
	if err := row.Scan(&number, &sealed); err != nil {
		return nil, err
	}
	return readChunk(key, member, number, sealed)
}

func (c *chunk) find(id loop.ResultID) *biomarker.Stored {
	at := slices.IndexFunc(c.results, func(r biomarker.Stored) bool { return r.ID == id })
	if at < 0 {
		return nil
	}
	return &c.results[at]
}

// errEnough ends a reading early.
var errEnough = errors.New("no more results are wanted")

// listing merges chunks, each newest first, and hands out what is in view.
type listing struct {
	selection      biomarker.Selection
	from, to       int64
	place          biomarker.Position
	each           func(*biomarker.Result) bool
	arrival        int64 // what came later is not in view
	read           []int64
	named          int // chunks by the first statement
	heads          heads
	seen           map[biomarker.Code]bool // of a selection of the newest of each
	chunksNotAfter int64
}

func newListing(sel biomarker.Selection, each func(*biomarker.Result) bool) *listing {
	r := &listing{selection: sel, each: each, from: math.MinInt64, to: math.MaxInt64, place: sel.After, arrival: sel.After.Arrival, chunksNotAfter: math.MaxInt64}
	if !sel.From.IsZero() {
		r.from = sel.From.UnixMicro()
	}
	if !sel.To.IsZero() {
		r.to = sel.To.UnixMicro()
	}
	if sel.Latest {
		r.seen = make(map[biomarker.Code]bool) // also by what is before the place
	} else if r.place != (biomarker.Position{}) {
		r.chunksNotAfter = r.place.CollectedAt.UnixMicro()
	}
	return r
}

// view are the parameters of chunksInView.
func (r *listing) view(member loop.MemberID) []any {
	arrival := r.arrival
	if arrival == 0 {
		arrival = math.MaxInt64
	}
	return []any{member, arrival, r.from, r.to, r.chunksNotAfter}
}

// add puts a chunk among those that are merged.
func (r *listing) add(c *biomarker.Chunk) error {
	h := &head{chunk: c}
	some, err := r.advance(h)
	if some {
		heap.Push(&r.heads, h)
	}
	return err
}

// advance goes to the chunk's next result in view; false where none is left.
func (r *listing) advance(h *head) (bool, error) {
	for {
		some, err := h.chunk.Next(&h.next)
		if !some || err != nil {
			return false, err
		}
		h.at = h.next.CollectedAt.UnixMicro()
		if h.at < r.from {
			return false, nil
		}
		if r.shows(h) {
			return true, nil
		}
	}
}

// shows reports whether a result is in view.
func (r *listing) shows(h *head) bool {
	return (h.next.RetractedAt.IsZero() || r.selection.Retracted) && h.next.Arrival <= r.arrival && h.at < r.to &&
		(len(r.selection.Codes) == 0 || slices.Contains(r.selection.Codes, h.next.Code)) &&
		(r.seen != nil || r.isBehind(h))
}

// isBehind reports whether a result is behind the place that the listing goes on at.
func (r *listing) isBehind(h *head) bool {
	if r.place == (biomarker.Position{}) {
		return true
	}
	at := r.place.CollectedAt.UnixMicro()
	return h.at < at || h.at == at && h.next.ID < r.place.ID
}

// handOut gives what was collected after a moment to each, newest first; errEnough
// once that wants no more.
func (r *listing) handOut(after int64) error {
	for len(r.heads) > 0 && (r.heads[0].at > after || after == math.MinInt64) {
		h := r.heads[0]
		if r.wants(h) && !r.each(&h.next.Result) {
			return errEnough
		}
		some, err := r.advance(h)
		switch {
		case err != nil:
			return err
		case some:
			heap.Fix(&r.heads, 0)
		default:
			heap.Pop(&r.heads)
		}
	}
	return nil
}

// wants reports whether a result in view is handed out: where only the newest of each
// biomarker is, the first of its code.
func (r *listing) wants(h *head) bool {
	if r.seen == nil {
		return true
	}
	if r.seen[h.next.Code] {
		return false
	}
	r.seen[h.next.Code] = true
	return r.isBehind(h)
}

// head is a chunk that is being read, at its next result.
type head struct {
	chunk *biomarker.Chunk
	next  biomarker.Stored
	at    int64 // when that was collected
}

// heads has the newest result first (heap.Interface).
type heads []*head

func (h heads) Len() int { return len(h) }
func (h heads) Less(i, j int) bool {
	return h[i].at > h[j].at || h[i].at == h[j].at && h[i].next.ID > h[j].next.ID
}
func (h heads) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *heads) Push(x any)   { *h = append(*h, x.(*head)) } //nolint:forcetypeassert // add pushes heads
func (h *heads) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}
