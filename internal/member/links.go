package member

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// Links is the rules of links that work once, whether a letter brings them or an
// operator.
type Links struct {
	Accounts *Accounts
	Sealer   credential.Sealer // of what they bring about
}

// content is what a link brings about, sealed in its row.
type content struct {
	Journey      string     `json:"journey,omitempty"`
	Name         string     `json:"name,omitempty"`
	Email        loop.Email `json:"email,omitempty"`
	Locale       string     `json:"locale,omitempty"`
	PasswordHash string     `json:"password_hash,omitempty"`
	ByOperator   bool       `json:"by_operator,omitempty"` // who gave it to the member, not to their address
}

// newLink makes a link with its token, which goes into the letter alone.
func (l *Links) newLink(purpose LinkPurpose, m loop.MemberID, asker Asker, life time.Duration, what content) (*Link, credential.Secret) {
	world := l.Accounts.World
	token, now := credential.NewSecret(world, credential.MailLinkPrefix), world.Now()
	what.Journey = asker.Journey
	plain, _ := json.Marshal(what) // texts always encode
	return &Link{
		Hash: token.Hash(), Purpose: purpose, Member: m, Content: []byte(l.Sealer.Seal(plain)),
		Browser: sha256.Sum256([]byte(asker.Browser)), CreatedAt: now, ExpiresAt: now.Add(life),
	}, token
}

// Opened is a link that somebody follows.
type Opened struct {
	Purpose LinkPurpose
	Journey string       // what goes on behind it
	Email   loop.Email   // that it shows to be somebody's own
	Member  *loop.Member // whose account it is about; nil: there is none yet

	ByOperator bool // an operator made it and gave it to the member

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
func (l *Links) Open(ctx context.Context, purpose LinkPurpose, token string) (*Opened, error) {
	if _, wellFormed := credential.MailLinkPrefix.Parse(token); !wellFormed {
		return nil, errLinkEnded
	}
	link, err := l.Accounts.Store.Link(ctx, credential.SecretOf(token).Hash())
	if errors.Is(err, loop.ErrNotFound) || err == nil && (link.Purpose != purpose || !l.Accounts.World.Now().Before(link.ExpiresAt)) {
		return nil, errLinkEnded
	}
	if err != nil {
		return nil, err
	}
	if !link.UsedAt.IsZero() {
		return nil, errLinkUsed
	}
	return l.read(ctx, link)
}

func (l *Links) read(ctx context.Context, link *Link) (*Opened, error) {
	o := &Opened{Purpose: link.Purpose, link: link}
	plain, err := l.Sealer.Open(string(link.Content))
	if err == nil {
		err = json.Unmarshal(plain, &o.what)
	}
	if err != nil {
		return nil, fmt.Errorf("opening a link: %w", err)
	}
	o.Journey, o.Email, o.ByOperator = o.what.Journey, o.what.Email, o.what.ByOperator
	if link.Member == "" {
		return o, nil
	}
	o.Member, err = l.Accounts.Store.Member(ctx, link.Member)
	if errors.Is(err, loop.ErrNotFound) {
		return nil, errLinkEnded
	}
	return o, err
}

// use is the one use of an opened link.
func (l *Links) use(o *Opened) *LinkUse {
	return &LinkUse{Hash: o.link.Hash, At: l.Accounts.World.Now()}
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
