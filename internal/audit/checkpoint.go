package audit

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// How often a checkpoint is made, where anything is new.
const (
	CheckpointInterval = time.Minute
	CheckpointRecords  = 1000
)

// Checkpoint says, under a signature, how far every lane had come at a moment.
type Checkpoint struct {
	At       time.Time `json:"at"`
	Heads    []Head    `json:"heads"`
	Previous []byte    `json:"previous"` // SHA-256 of the line before; empty for the first
	// Epoch is where the state was, at least: one that is found before it was set
	// back. Zero in checkpoints of older versions.
	Epoch loop.Epoch `json:"epoch,omitzero"`
}

// signedCheckpoint is a line of the checkpoint file.
type signedCheckpoint struct {
	Checkpoint json.RawMessage `json:"checkpoint"`
	Signature  []byte          `json:"signature"`
}

// Sign writes a checkpoint as a line.
func (k Keys) Sign(c Checkpoint) ([]byte, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encoding a checkpoint: %w", err)
	}
	return json.Marshal(signedCheckpoint{body, ed25519.Sign(k.Checkpoints, body)})
}

// ParseCheckpoint reads a line and checks its signature.
func (k Keys) ParseCheckpoint(line []byte) (Checkpoint, error) {
	var (
		signed signedCheckpoint
		c      Checkpoint
	)
	if err := json.Unmarshal(line, &signed); err != nil {
		return c, fmt.Errorf("it is not well formed: %w", err)
	}
	public, ok := k.Checkpoints.Public().(ed25519.PublicKey)
	if !ok || !ed25519.Verify(public, signed.Checkpoint, signed.Signature) {
		return c, fmt.Errorf("its signature is not this platform's")
	}
	if err := json.Unmarshal(signed.Checkpoint, &c); err != nil {
		return c, fmt.Errorf("it is not well formed: %w", err)
	}
	return c, nil
}

// Lanes are a database's part of the chain, as the checkpointer sees it.
type Lanes interface {
	// Heads is how far each lane has durably come.
	Heads(ctx context.Context) ([]Head, error)
}

// Checkpointer makes checkpoints over all lanes: to the log and to a file
// outside the databases. It is safe for concurrent use.
type Checkpointer struct {
	keys  Keys
	world loop.World
	log   *slog.Logger
	file  *checkpointFile
	lanes []Lanes
	epoch func() loop.Epoch

	mu       sync.Mutex
	fault    error  // why the newest could not be made; nil: it was
	heads    []Head // of the newest checkpoint
	at       time.Time
	seen     loop.Epoch // of the newest checkpoint that was there at the start
	previous []byte
}

// ErrCheckpointUnreadable is that the newest checkpoint of a file can't be read:
// how far the state had come can't be known.
var ErrCheckpointUnreadable = errors.New("the newest audit checkpoint can't be read")

// NewCheckpointer goes on from the last checkpoint of the file at path, which is
// made with the first one where it is missing. A lane that is behind that
// checkpoint has lost records; that is an alarm in the log, and `loop audit verify`
// says what is missing. Each checkpoint says in which epoch the state is, at least.
// The error is ErrCheckpointUnreadable where the newest line can't be read.
func NewCheckpointer(ctx context.Context, keys Keys, w loop.World, log *slog.Logger, path string, epoch func() loop.Epoch, lanes ...Lanes) (*Checkpointer, error) {
	c := &Checkpointer{keys: keys, world: w, log: log, epoch: epoch, lanes: lanes}
	file, lines, err := openCheckpointFile(path)
	c.file = file
	if err != nil || len(lines) == 0 {
		return c, err
	}
	last := lines[len(lines)-1]
	newest, err := keys.ParseCheckpoint(last)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCheckpointUnreadable, err)
	}
	c.heads, c.at, c.seen, c.previous = newest.Heads, newest.At, newest.Epoch, hashLine(last)
	present, err := c.read(ctx)
	if err != nil {
		return nil, err
	}
	for _, head := range newest.Heads {
		if number := numberIn(present, head.Lane); number < head.Number {
			log.Error("audit records are missing: the database is behind its checkpoint", "lane", head.Lane, "number", number)
		}
	}
	return c, nil
}

// read asks every database how far its lanes have come.
func (c *Checkpointer) read(ctx context.Context) ([]Head, error) {
	var all []Head
	for _, lanes := range c.lanes {
		heads, err := lanes.Heads(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading how far the record has come: %w", err)
		}
		all = append(all, heads...)
	}
	return all, nil
}

func numberIn(heads []Head, lane string) int64 {
	i := slices.IndexFunc(heads, func(h Head) bool { return h.Lane == lane })
	if i < 0 {
		return 0
	}
	return heads[i].Number
}

// Run makes a checkpoint each minute and each thousand records until ctx ends,
// and a last one then.
func (c *Checkpointer) Run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			c.note(c.Make(context.WithoutCancel(ctx)))
			return
		case <-tick.C:
			behind, _, err := c.Behind(ctx)
			if err == nil && c.Ready() == nil && behind < CheckpointRecords && time.Since(last) < CheckpointInterval {
				continue
			}
			c.note(c.Make(ctx))
			last = time.Now()
		}
	}
}

func (c *Checkpointer) note(err error) {
	if err != nil {
		c.log.Error("making an audit checkpoint", "cause", err)
	}
}

// Behind is how many records there are since the newest checkpoint, and when that
// was made; the zero time where there is none.
func (c *Checkpointer) Behind(ctx context.Context) (records int64, since time.Time, err error) {
	heads, err := c.read(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, head := range heads {
		records += head.Number - numberIn(c.heads, head.Lane)
	}
	return records, c.at, err
}

// Empty reports whether there is no checkpoint in the file.
func (c *Checkpointer) Empty() bool { return c.at.IsZero() }

// Seen is where the state had come before this start, at least.
func (c *Checkpointer) Seen() loop.Epoch { return c.seen }

// Ready says why the newest checkpoint could not be made; nil: it was. The next
// one is tried a second later.
func (c *Checkpointer) Ready() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fault
}

// Make makes a checkpoint now, if anything is new.
func (c *Checkpointer) Make(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault = c.make(ctx)
	return c.fault
}

func (c *Checkpointer) make(ctx context.Context) error {
	epoch := c.epoch() // before the heads: it says where the state was at least
	heads, err := c.read(ctx)
	if err != nil {
		return err
	}
	if !c.Empty() && sameHeads(heads, c.heads) {
		return nil
	}
	now := c.world.Now()
	if now.Before(c.at) {
		now = c.at // a clock was ahead
	}
	line, err := c.keys.Sign(Checkpoint{At: now, Heads: heads, Previous: c.previous, Epoch: epoch})
	if err != nil {
		return err
	}
	if err := c.file.append(line); err != nil {
		return fmt.Errorf("writing an audit checkpoint: %w", err)
	}
	c.heads, c.at, c.previous = heads, now, hashLine(line)
	c.log.Info("audit checkpoint", "line", string(line))
	return nil
}

func sameHeads(a, b []Head) bool {
	return slices.EqualFunc(a, b, func(x, y Head) bool { return x.Lane == y.Lane && x.Number == y.Number && bytes.Equal(x.Hash, y.Hash) })
}

func hashLine(line []byte) []byte {
	sum := sha256.Sum256(line)
	return sum[:]
}
