package member

import (
	"context"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
)

// Mailed is the rules of what people ask for by mail. A nil one is where no mail is
// sent, and nobody is offered any of it.
type Mailed struct {
	*Links

	Find   Finder
	Office *mail.Office
	Limits MailLimits
	Delay  interface {
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

// Late reports whether mail is late at the moment.
func (b *Mailed) Late() bool { return b.Delay.Late() }

// byNobody is a record of an act of somebody who has not shown who they are.
func (b *Mailed) byNobody(ctx context.Context, event audit.Event, m loop.MemberID) audit.Record {
	rec := audit.NewRecord(ctx, b.Accounts.World.Now(), event, audit.Actor{Kind: audit.ByStranger})
	rec.Member = m
	return rec
}
