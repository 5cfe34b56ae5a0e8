package member

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
)

// Mailed is the rules of what people do by links that they are sent. A nil one is
// where no mail is sent, and nobody is offered any of it.
type Mailed struct {
	Accounts *Accounts
	Find     Finder
	Office   *mail.Office
	Limits   MailLimits
	Delay    interface {
		// Late reports whether mail is late.
		Late() bool
	}
}

// Finder finds accounts.
type Finder interface {
	// Account finds a member by address, with the hash of their password;
	// loop.ErrNotFound where there is none.
	Account(ctx context.Context, email loop.Email) (*loop.Member, string, error)
}

// MailLimits bound how much mail people can have sent.
type MailLimits interface {
	// AllowMail counts a mail to an address, which a browser that its member has signed
	// in with before asks for, or with an empty device anybody; RateLimited where there
	// were too many.
	AllowMail(ctx context.Context, email loop.Email, device string) error
}

// Asker is who asks for a mail.
type Asker struct {
	Browser string // the value that the browser is known by
	Device  string // names it, where the member has signed in with it before
	Journey string // what goes on behind the link, sealed; empty: nothing
	Locale  string // that the person reads
}

// content is what a link brings about, sealed in its row.
type content struct {
	Journey      string     `json:"journey,omitempty"`
	Name         string     `json:"name,omitempty"`
	Email        loop.Email `json:"email,omitempty"`
	Locale       string     `json:"locale,omitempty"`
	PasswordHash string     `json:"password_hash,omitempty"`
}

// newLink makes a link with its token, which goes into the letter alone.
func (b *Mailed) newLink(purpose LinkPurpose, m loop.MemberID, asker Asker, life time.Duration, what content) (*Link, credential.Secret) {
	world := b.Accounts.World
	token, now := credential.NewSecret(world, credential.MailLinkPrefix), world.Now()
	what.Journey = asker.Journey
	plain, _ := json.Marshal(what) // texts always encode
	return &Link{
		Hash: token.Hash(), Purpose: purpose, Member: m, Content: []byte(b.Office.Sealer.Seal(plain)),
		Browser: sha256.Sum256([]byte(asker.Browser)), CreatedAt: now, ExpiresAt: now.Add(life),
	}, token
}

// Opened is a link that somebody follows.
type Opened struct {
	Purpose LinkPurpose
	Journey string       // what goes on behind it
	Email   loop.Email   // that it shows to be somebody's own
	Member  *loop.Member // whose account it is about; nil: there is none yet

	link *Link
	what content
}

// AskedBy reports whether one of these values is what the browser that asked for the
// link is known by.
func (o *Opened) AskedBy(browsers ...string) bool {
	for _, browser := range browsers {
		if sha256.Sum256([]byte(browser)) == o.link.Browser {
			return true
		}
	}
	return false
}

// Answers to links that do nothing.
var (
	errLinkEnded = loop.Errorf(loop.InvalidRequest, "This link works no more, or was copied in part. Ask for a new one.").Worded("link_ended.ended")
	errLinkUsed  = loop.Errorf(loop.InvalidRequest, "This link was used, and a link works once. If it was not you who used it, ask for a new one.").Worded("link_ended.used")
)

// Open reads a link for its purpose and consumes nothing. One that is unknown, over
// or used is an InvalidRequest.
func (b *Mailed) Open(ctx context.Context, purpose LinkPurpose, token string) (*Opened, error) {
	if _, wellFormed := credential.MailLinkPrefix.Parse(token); !wellFormed {
		return nil, errLinkEnded
	}
	link, err := b.Accounts.Store.Link(ctx, credential.SecretOf(token).Hash())
	if errors.Is(err, loop.ErrNotFound) || err == nil && (link.Purpose != purpose || !b.Accounts.World.Now().Before(link.ExpiresAt)) {
		return nil, errLinkEnded
	}
	if err != nil {
		return nil, err
	}
	if !link.UsedAt.IsZero() {
		return nil, errLinkUsed
	}
	return b.read(ctx, link)
}

func (b *Mailed) read(ctx context.Context, link *Link) (*Opened, error) {
	o := &Opened{Purpose: link.Purpose, link: link}
	plain, err := b.Office.Sealer.Open(string(link.Content))
	if err == nil {
		err = json.Unmarshal(plain, &o.what)
	}
	if err != nil {
		return nil, fmt.Errorf("opening a link: %w", err)
	}
	o.Journey, o.Email = o.what.Journey, o.what.Email
	if link.Member == "" {
		return o, nil
	}
	o.Member, err = b.Accounts.Store.Member(ctx, link.Member)
	if errors.Is(err, loop.ErrNotFound) {
		return nil, errLinkEnded
	}
	return o, err
}

// use is the one use of an opened link.
func (b *Mailed) use(o *Opened) *LinkUse {
	return &LinkUse{Hash: o.link.Hash, At: b.Accounts.World.Now()}
}

// answer makes an answer of what a store says to the use of a link.
func answer(err error) error {
	switch {
	case errors.Is(err, ErrLinkUsed):
		return errLinkUsed
	case errors.Is(err, loop.ErrNotFound):
		return errLinkEnded
	default:
		return err
	}
}

// Late reports whether mail is late at the moment.
func (b *Mailed) Late() bool { return b.Delay.Late() }

// byNobody is a record of an act of somebody who has not shown who they are.
func (b *Mailed) byNobody(ctx context.Context, event audit.Event, m loop.MemberID) audit.Record {
	rec := audit.NewRecord(ctx, b.Accounts.World.Now(), event, audit.Actor{Kind: audit.ByStranger})
	rec.Member = m
	return rec
}
