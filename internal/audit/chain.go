package audit

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// Keys authenticate the chain: whoever has the database but not these cannot
// make a record that belongs to it.
type Keys struct {
	Chain       [32]byte
	Checkpoints ed25519.PrivateKey
}

// NewKeys makes the keys of a chain from two secrets.
func NewKeys(chain, checkpoints [32]byte) Keys {
	return Keys{Chain: chain, Checkpoints: ed25519.NewKeyFromSeed(checkpoints[:])}
}

// Row is a record as it is stored, in its place in the chain.
type Row struct {
	Lane      string
	Number    int64 // from 1, without gaps
	At        int64 // microseconds since 1970
	Event     Event
	ActorKind ActorKind
	ActorID   string
	Member    string
	Client    string
	Grant     string
	Request   string
	Address   string
	Detail    string // JSON object
	Previous  []byte // hash of the record before; 32 zeros for the first
	Hash      []byte
}

// Head is how far a lane has come.
type Head struct {
	Lane   string `json:"lane"`
	Number int64  `json:"number"`
	Hash   []byte `json:"hash"`
	At     int64  `json:"-"` // of its newest record, in microseconds since 1970
}

// Next puts a record behind the head of its lane: not before the newest there, whatever
// happened to the clock in between.
func (k Keys) Next(head Head, rec Record) (Row, error) {
	detail, err := json.Marshal(rec.Detail)
	if err != nil {
		return Row{}, fmt.Errorf("encoding the detail of a record: %w", err)
	}
	if len(rec.Detail) == 0 {
		detail = []byte("{}")
	}
	previous := head.Hash
	if head.Number == 0 {
		previous = make([]byte, sha256.Size)
	}
	row := Row{
		Lane: head.Lane, Number: head.Number + 1, At: max(head.At, rec.At.UnixMicro()), Event: rec.Event,
		ActorKind: rec.Actor.Kind, ActorID: rec.Actor.ID,
		Member: string(rec.Member), Client: string(rec.Client), Grant: string(rec.Grant),
		Request: string(rec.Origin.Request), Address: rec.Origin.Address,
		Detail: string(detail), Previous: previous,
	}
	row.Hash = k.hash(row)
	return row, nil
}

// hash covers every column of the row but itself, each with its length before
// it, so that no two rows are written alike.
func (k Keys) hash(row Row) []byte {
	all := make([]byte, 0, 512)
	number := func(n int64) { all = binary.BigEndian.AppendUint64(all, uint64(n)) } //nolint:gosec // G115: the same bits
	number(row.Number)
	number(row.At)
	for _, column := range []string{
		row.Lane, string(row.Event), string(row.ActorKind), row.ActorID, row.Member, row.Client,
		row.Grant, row.Request, row.Address, row.Detail, string(row.Previous),
	} {
		number(int64(len(column)))
		all = append(all, column...)
	}
	mac := hmac.New(sha256.New, k.Chain[:])
	mac.Write(all)
	return mac.Sum(nil)
}

// Head is how far the lane has come with the row.
func (r Row) Head() Head { return Head{Lane: r.Lane, Number: r.Number, Hash: r.Hash, At: r.At} }

// Moment is when the record was made.
func (r Row) Moment() time.Time { return time.UnixMicro(r.At).UTC() }

// Record is the record as it was made.
func (r Row) Record() (Record, error) {
	rec := Record{
		At: r.Moment(), Event: r.Event, Actor: Actor{Kind: r.ActorKind, ID: r.ActorID},
		Member: loop.MemberID(r.Member), Client: loop.ClientID(r.Client), Grant: loop.GrantID(r.Grant),
		Origin: Origin{Request: loop.RequestID(r.Request), Address: r.Address},
	}
	if err := json.Unmarshal([]byte(r.Detail), &rec.Detail); err != nil {
		return rec, fmt.Errorf("reading the detail of a record: %w", err)
	}
	return rec, nil
}
