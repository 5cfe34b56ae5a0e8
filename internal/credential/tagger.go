package credential

import (
	"crypto/hmac"
	"encoding/binary"
)

// Tagger authenticates what is shown and comes back, such as a form or a cursor:
// a ring with its purpose and a label chosen, so that no tag is good elsewhere.
type Tagger struct {
	Ring    *Ring
	Purpose Purpose
	Label   string
}

// macLength is 128 bits: a tag can be guessed at only by asking.
const macLength = 16

// Tag authenticates the data. A tag names its key, and is good for as long as the
// ring keeps that key, whichever key is at work by then.
func (t Tagger) Tag(data []byte) []byte {
	key := t.Ring.atWork(t.Purpose)
	return append(binary.BigEndian.AppendUint32(nil, key.id), t.mac(key, data)...)
}

// Check reports whether Tag made the tag for exactly this data.
func (t Tagger) Check(data, tag []byte) bool {
	if len(tag) != keyIDLength+macLength {
		return false
	}
	key, ok := t.Ring.key(t.Purpose, binary.BigEndian.Uint32(tag))
	return ok && hmac.Equal(tag[keyIDLength:], t.mac(key, data))
}

func (t Tagger) mac(key *ringKey, data []byte) []byte {
	return key.authenticate([]byte(t.Label), []byte{0}, data)[:macLength]
}
