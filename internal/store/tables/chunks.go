package tables

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

const (
	chunkColumns = `member_id, number, first_arrival, last_arrival, oldest, newest, low_id, high_id, sealed`
	keepChunk    = `INSERT INTO result_chunks (` + chunkColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (member_id, number) DO UPDATE SET first_arrival = excluded.first_arrival, last_arrival = excluded.last_arrival,
			oldest = excluded.oldest, newest = excluded.newest, low_id = excluded.low_id, high_id = excluded.high_id, sealed = excluded.sealed`
)

// chunk is a chunk of a member's results, newest first.
type chunk struct {
	number  int64
	results []biomarker.Stored
}

// openChunk opens what keep has sealed.
func openChunk(key *credential.DataKey, member loop.MemberID, number int64, sealed []byte) (*biomarker.Chunk, error) {
	into := packedChunks.Get().(*[]byte) //nolint:forcetypeassert // it holds these alone
	defer packedChunks.Put(into)
	packed, err := key.OpenTo((*into)[:0], chunkOf(member, number), sealed)
	if err != nil {
		return nil, fmt.Errorf("chunk %d of the results of %s: %w", number, member, err)
	}
	*into = packed
	return biomarker.OpenChunk(packed) // which copies it
}

// packedChunks are buffers for chunks that are being opened.
var packedChunks = sync.Pool{New: func() any { return new([]byte) }}

func chunkOf(member loop.MemberID, number int64) string {
	return "results " + string(member) + " " + strconv.FormatInt(number, 10)
}

// readChunk reads all results of a chunk.
func readChunk(key *credential.DataKey, member loop.MemberID, number int64, sealed []byte) (*chunk, error) {
	opened, err := openChunk(key, member, number, sealed)
	if err != nil {
		return nil, err
	}
	c := &chunk{number: number, results: make([]biomarker.Stored, opened.Left())}
	for i := range c.results {
		if _, err := opened.Next(&c.results[i]); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// keep seals the chunk and writes it, in place of what it was before.
func (s Clinical) keep(tx Tx, key *credential.DataKey, member loop.MemberID, c *chunk) {
	slices.SortFunc(c.results, newestFirst)
	newest, oldest := &c.results[0], &c.results[len(c.results)-1]
	first, last := newest.Arrival, newest.Arrival
	low, high := newest.ID, newest.ID
	for i := range c.results {
		r := &c.results[i]
		first, last = min(first, r.Arrival), max(last, r.Arrival)
		low, high = min(low, r.ID), max(high, r.ID)
	}
	sealed := key.Seal(s.world, chunkOf(member, c.number), biomarker.AppendChunk(nil, c.results))
	tx.Exec(keepChunk, member, c.number, first, last, oldest.CollectedAt.UnixMicro(), newest.CollectedAt.UnixMicro(), low, high, sealed)
}

// newestFirst is the order in which results are listed.
func newestFirst(a, b biomarker.Stored) int {
	return cmp.Or(b.CollectedAt.Compare(a.CollectedAt), cmp.Compare(b.ID, a.ID))
}

// inChunks divides results into chunks by the time of their collection, numbered from
// a number on. What was collected at one time, as a report is, stays together where it
// fits.
func inChunks(results []biomarker.Stored, number int64) (chunks []*chunk) {
	slices.SortFunc(results, newestFirst)
	for len(results) > 0 {
		size := min(len(results), biomarker.ChunkSize)
		for size < len(results) && size > 0 && results[size-1].CollectedAt.Equal(results[size].CollectedAt) {
			size--
		}
		if size == 0 { // more of one time than a chunk holds
			size = biomarker.ChunkSize
		}
		chunks = append(chunks, &chunk{number: number, results: results[:size:size]})
		results = results[size:]
		number++
	}
	return chunks
}
