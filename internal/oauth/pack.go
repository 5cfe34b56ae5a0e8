package oauth

import (
	"encoding/binary"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// packer writes the fields of what is sealed: texts with their length before
// them, numbers as varints, always in the same order.
type packer []byte

func (p *packer) text(s string) {
	*p = binary.AppendUvarint(*p, uint64(len(s)))
	*p = append(*p, s...)
}

func (p *packer) number(n int64) { *p = binary.AppendVarint(*p, n) }

// moment keeps microseconds, as the store does; the zero time is 0.
func (p *packer) moment(t time.Time) {
	if t.IsZero() {
		p.number(0)
		return
	}
	p.number(t.UnixMicro())
}

// maxTextLength is beyond any field: a request's parameters are the longest.
const maxTextLength = 1 << 20

// unpacker reads what packer wrote. The first field that is not there makes
// everything after it empty, and done says so.
type unpacker struct {
	rest string
	bad  bool
}

// unpack begins to read. The texts that come out are parts of one copy.
func unpack(packed []byte) unpacker { return unpacker{rest: string(packed)} }

func (u *unpacker) text() string {
	length, n := binary.Uvarint(u.head())
	if u.bad || n <= 0 || length > maxTextLength || int(length) > len(u.rest)-n {
		u.bad = true
		return ""
	}
	text := u.rest[n : n+int(length)]
	u.rest = u.rest[n+int(length):]
	return text
}

func (u *unpacker) number() int64 {
	number, n := binary.Varint(u.head())
	if u.bad || n <= 0 {
		u.bad = true
		return 0
	}
	u.rest = u.rest[n:]
	return number
}

// head is as much of what is left as a number can take.
func (u *unpacker) head() []byte { return []byte(u.rest[:min(len(u.rest), binary.MaxVarintLen64)]) }

func (u *unpacker) moment() time.Time {
	micro := u.number()
	if micro == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micro).UTC()
}

// done reports whether every field was there and nothing is left.
func (u *unpacker) done() bool { return !u.bad && len(u.rest) == 0 }

// methods adds how a member proved who they are. A password alone adds nothing, so
// that a process of a release that knew nothing else reads what this one seals, and
// this one what that one sealed.
func (p *packer) methods(a loop.Authentication) {
	if a.Methods|loop.ByPassword == loop.ByPassword && a.Asked == "" {
		return
	}
	p.number(int64(a.Methods))
	p.text(string(a.Asked))
}

// methods reads what packer.methods added; it is the last of what is packed.
func (u *unpacker) methods(a *loop.Authentication) {
	if u.bad || u.rest == "" {
		a.Methods = loop.ByPassword
		return
	}
	a.Methods = loop.Methods(u.number()) //nolint:gosec // G115: written from one
	a.Asked = loop.Context(u.text())
}
