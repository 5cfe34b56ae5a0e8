package possession

import (
	"encoding/binary"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/credential"
)

// nonceLife is how long a nonce of ours can be used (RFC 9449 §8).
const nonceLife = 30 * time.Second

// nonceLabel keeps nonces apart from what else is sealed for the same purpose.
const nonceLabel = "dpop nonce "

// NewNonce makes a nonce: the sealed time, so that nothing has to be kept.
func (c *Checker) NewNonce() string {
	plain := binary.BigEndian.AppendUint64([]byte(nonceLabel), uint64(c.World.Now().UnixMicro()))
	return c.sealer().Seal(plain)
}

// openNonce gives the moment at which we made a nonce; false where we did not.
func (c *Checker) openNonce(text string) (madeAt time.Time, ok bool) {
	plain, err := c.sealer().Open(text)
	moment, labelled := strings.CutPrefix(string(plain), nonceLabel)
	if err != nil || !labelled || len(moment) != 8 {
		return time.Time{}, false
	}
	return time.UnixMicro(int64(binary.BigEndian.Uint64([]byte(moment)))).UTC(), true //nolint:gosec // G115: NewNonce wrote it
}

func (c *Checker) sealer() credential.Sealer {
	return credential.Sealer{Ring: c.Ring, Purpose: credential.ForTickets}
}
