package intake

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
)

// Hash is a hash that the store makes, under a key of the member's where it seals what
// it keeps: that a member has a certain result could be guessed otherwise.
type Hash [32]byte

// Version is a result that was imported. Corrections are further versions of the same.
type Version struct {
	Identity  Hash
	Number    int
	Content   Hash // of what makes it another one under the same identity
	Result    loop.ResultID
	Retracted bool // superseded, or entered in error
}

// identity is what makes a result the same as one that was imported before: its report
// at the sender, its code and the time of its sample.
func identity(r *biomarker.Reported) []byte {
	var name biomarker.Name
	if len(r.Names) > 0 {
		name = r.Names[0]
	}
	var parts []byte
	for _, part := range []string{"identity 1", r.Report, name.System, name.Code, sameMoment(r.Incoming.Collected)} {
		parts = binary.BigEndian.AppendUint32(parts, uint32(len(part))) //nolint:gosec // G115: bounded parts; with its length, so that no two lists run together
		parts = append(parts, part...)
	}
	return parts
}

// sameMoment writes a time in UTC, so that an offset makes no other time of it.
func sameMoment(text string) string {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	return at.UTC().Format(time.RFC3339Nano)
}

// content is what a later file may not change without saying so.
func content(r *biomarker.Result) []byte {
	encoded, err := json.Marshal([]any{"content 1", r.Code, r.Comparator, r.Value, r.Text, r.Unit, r.Range, r.RangeText, r.Flag})
	if err != nil {
		panic(fmt.Sprintf("intake: a result can't be written: %v", err)) // it is texts and numbers
	}
	return encoded
}
