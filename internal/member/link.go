package member

import (
	"errors"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// LinkPurpose is what a link in a mail is for.
type LinkPurpose string

// The purposes of links.
const (
	ToResetPassword LinkPurpose = "reset"
	ToSignUp        LinkPurpose = "sign-up"
	ToProveAddress  LinkPurpose = "address"
)

// Link is a link that was sent by mail, and works once. Who follows it shows that
// they read the mail of an address.
type Link struct {
	Hash      [32]byte // of its token, which only the mail has
	Purpose   LinkPurpose
	Member    loop.MemberID // whose account it is about; empty: there is none (yet)
	Content   []byte        // what it brings about, sealed
	Browser   [32]byte      // the hash of what the browser is known by that asked for it
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    time.Time // zero: it was not used
}

// LinkUse is the one use of a link.
type LinkUse struct {
	Hash [32]byte
	At   time.Time
}

// ErrLinkUsed is returned by a store where a link was used before, or has ended.
var ErrLinkUsed = errors.New("the link was used before")
