package mail

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/locale"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/outbox"
)

// Sender hands mails over to a server.
type Sender interface {
	// Send hands one over; ErrNoMailbox where the server says that its address has no
	// mailbox. After any other error nobody knows whether it was sent.
	Send(ctx context.Context, mail Mail) error
}

// ErrNoMailbox is returned by a Sender where an address has no mailbox.
var ErrNoMailbox = errors.New("the mail server says that the address has no mailbox")

// Members finds the readers of letters.
type Members interface {
	// Member finds a member; loop.ErrNotFound where there is none.
	Member(ctx context.Context, id loop.MemberID) (*loop.Member, error)
}

// Deliverer sends letters (outbox.Deliverer).
type Deliverer struct {
	Office   *Office
	Sender   Sender
	Members  Members
	Texts    *locale.Texts
	Identity *url.URL // links lead there
	World    loop.World

	failing atomic.Bool
}

// Late reports whether mail is late: the newest attempt of this process failed.
func (d *Deliverer) Late() bool { return d.failing.Load() }

// Kind is the kind of letters (outbox.Deliverer).
func (*Deliverer) Kind() outbox.Kind { return Kind }

// Policy is how letters are sent (outbox.Deliverer): for a day, a few at a time.
func (*Deliverer) Policy() outbox.Policy {
	return outbox.Policy{
		Retries: []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour, 15 * time.Hour},
		Timeout: time.Minute, AtOnce: 8, PerDestination: 8,
	}
}

// Deliver renders a letter and hands it over (outbox.Deliverer). A letter that is of
// no use any more, and one to a member or a mailbox that is gone, is not sent.
func (d *Deliverer) Deliver(ctx context.Context, delivery outbox.Delivery) error {
	letter, err := d.open(delivery.Payload)
	if err != nil {
		return err
	}
	if !letter.Until.IsZero() && !d.World.Now().Before(letter.Until) {
		return outbox.ErrObsolete
	}
	address, language, err := d.reader(ctx, letter)
	if errors.Is(err, loop.ErrNotFound) {
		return outbox.ErrObsolete
	}
	if err != nil {
		return err
	}
	mail, err := d.render(letter, language)
	if err != nil {
		return err
	}
	mail.To, mail.ID = address, messageID(delivery.ID)
	err = d.Sender.Send(ctx, mail)
	if errors.Is(err, ErrNoMailbox) {
		return errors.Join(outbox.ErrObsolete, err)
	}
	d.failing.Store(err != nil)
	return err
}

// reader is where a letter goes, and the language that is read there.
func (d *Deliverer) reader(ctx context.Context, letter Letter) (loop.Email, *locale.Language, error) {
	if letter.Member == "" {
		return letter.To, d.Texts.Match(letter.Locale), nil
	}
	m, err := d.Members.Member(ctx, letter.Member)
	if err != nil {
		return "", nil, err
	}
	if letter.To == "" {
		letter.To = m.Email
	}
	return letter.To, d.Texts.Match(m.Locale), nil
}

// messageID names a mail: a second attempt has the name of the first, so that a
// mailbox that received both can tell.
func messageID(delivery string) string {
	sum := sha256.Sum256([]byte(delivery))
	return hex.EncodeToString(sum[:16])
}

// Records is one record of a letter that was not sent (outbox.Deliverer). That one was
// sent says nothing that the record of its act does not.
func (d *Deliverer) Records(delivery outbox.Delivery) []audit.Record {
	if delivery.Outcome == outbox.Delivered {
		return nil
	}
	letter, _ := d.open(delivery.Payload) // what can't be opened was given up, and is recorded without names
	return []audit.Record{{
		At: d.World.Now(), Event: audit.MailUndelivered, Actor: audit.Actor{Kind: audit.BySystem}, Member: letter.Member,
		Detail: audit.Detail{"text": string(letter.Text), "outcome": string(delivery.Outcome), "attempts": strconv.Itoa(delivery.Attempts)},
	}}
}
