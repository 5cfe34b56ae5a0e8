package signin

import (
	"context"
	"errors"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
	"github.com/loop-health/loop/internal/outbox"
)

// How long a sign-in lasts.
const (
	SessionIdle    = 12 * time.Hour
	SessionAtMost  = loop.SessionAtMost
	CookieLifetime = SessionAtMost   // how long a browser may keep the session's cookie
	MaxSessions    = 50              // of a member; a further one ends the oldest
	touchEvery     = 5 * time.Minute // how exact the idle time is
)

// Session is one sign-in in one browser. The browser holds a secret; only its
// hash is kept.
type Session struct {
	Hash           [32]byte
	ID             loop.SessionID
	Member         loop.MemberID
	Authentication loop.Authentication
	SeenAt         time.Time
	ExpiresAt      time.Time
	Browser        [32]byte // hash of what the browser is known by; zero: nobody noted it
	Device         Device
}

// Visit is the browser that somebody signs in with.
type Visit struct {
	Before  string // the session cookie that it sent, if any; that session ends
	Browser string // the value that it is known by: it has one session
	Agent   string // its User-Agent header
	// Knows reports whether the member with an address has signed in with it before.
	Knows func(loop.Email) bool
	// Messages go out with the session.
	Messages []outbox.Message
}

func (v Visit) browserHash() [32]byte {
	if v.Browser == "" {
		return [32]byte{}
	}
	return credential.SecretOf(v.Browser).Hash()
}

// Start is a session that begins.
type Start struct {
	Session Session
	Ends    [32]byte // the hash of the session that it takes the place of, if any
	Proof   Proof
	// Messages go out with it.
	Messages []outbox.Message
}

// Proof is what a sign-in uses up, in the transaction that starts its session.
type Proof struct {
	Spends  *Spent
	Passkey *PasskeyUse
	Code    *CodeUse
}

// PasskeyUse is a passkey that signed: its counter as it was read and as it is now.
type PasskeyUse struct {
	ID            []byte
	Before, After uint32
}

// Resume gives the live sign-in behind a cookie's value; loop.ErrNotFound where
// there is none, where it has ended or where the member is suspended.
func (a *Authenticator) Resume(ctx context.Context, cookie string) (*loop.SignIn, error) {
	session, m, err := a.resume(ctx, cookie)
	if err != nil {
		return nil, err
	}
	return &loop.SignIn{Session: session.ID, Member: m, Authentication: session.Authentication}, nil
}

// DevicesSince is since when the browsers of the member with an address are known;
// zero: all are.
func (a *Authenticator) DevicesSince(ctx context.Context, email loop.Email) (time.Time, error) {
	m, _, err := a.Store.Account(ctx, email)
	if err != nil {
		return time.Time{}, err
	}
	return m.DevicesSince, nil
}

func (a *Authenticator) resume(ctx context.Context, cookie string) (*Session, *loop.Member, error) {
	if _, wellFormed := credential.SessionPrefix.Parse(cookie); !wellFormed {
		return nil, nil, loop.ErrNotFound
	}
	session, err := a.Store.Session(ctx, credential.SecretOf(cookie).Hash())
	if err != nil {
		return nil, nil, err
	}
	now := a.World.Now()
	if !session.live(now) {
		return nil, nil, loop.ErrNotFound
	}
	m, err := a.Store.Member(ctx, session.Member)
	if err != nil {
		return nil, nil, err
	}
	if m.Suspended {
		return nil, nil, loop.ErrNotFound
	}
	if now.Sub(session.SeenAt) >= touchEvery {
		session.SeenAt = now
		if err := a.Store.TouchSession(ctx, session); err != nil {
			return nil, nil, err
		}
	}
	return session, m, nil
}

// live reports whether a session has not come to its end by itself.
func (s *Session) live(now time.Time) bool {
	return now.Before(s.ExpiresAt) && now.Sub(s.SeenAt) < SessionIdle
}

// Begun is what a right proof led to: a session, or the question for a code.
type Begun struct {
	Member *loop.Member
	Cookie credential.Secret // holds the session's value; empty where a code is asked for
	Waits  string            // sealed, for the browser: whose password was right; empty: nothing is asked for
}

// begin starts a session for a member who has proven who they are, with a new
// secret, and uses up the proof; the sessions that the browser had before end with
// the same act. One of the same member goes on under its name: apps know it by that
// (sid), and have to hear of its end.
func (a *Authenticator) begin(ctx context.Context, m *loop.Member, methods loop.Methods, proof Proof, visit Visit) (*Begun, error) {
	cookie := credential.NewSecret(a.World, credential.SessionPrefix)
	now := a.World.Now()
	session := Session{
		Hash: cookie.Hash(), ID: loop.NewSessionID(a.World), Member: m.ID,
		Authentication: loop.Authentication{At: now, Methods: methods}, SeenAt: now, ExpiresAt: now.Add(SessionAtMost),
		Browser: visit.browserHash(), Device: DeviceOf(visit.Agent),
	}
	if old, oldMember, err := a.resume(ctx, visit.Before); err == nil && oldMember.ID == m.ID {
		session.ID = old.ID
	}
	rec := audit.OfMember(ctx, a.World.Now(), audit.MemberSignedIn, m.ID)
	rec.Detail = audit.Detail{"session": string(session.ID), "methods": methods.String()}
	start := Start{Session: session, Ends: credential.SecretOf(visit.Before).Hash(), Proof: proof, Messages: visit.Messages}
	if !visit.Knows(m.Email) {
		start.Messages = append(start.Messages, a.Office.Notice(m.ID, mail.NewDevice, session.Device.String())...)
	}
	err := a.Store.StartSession(ctx, start, a.OnSessionEnd, rec)
	if errors.Is(err, loop.ErrNotFound) {
		return nil, errSignIn // suspended in the meantime
	}
	if err != nil {
		return nil, err
	}
	return &Begun{Member: m, Cookie: cookie}, nil
}

// SignOut ends the session behind a cookie's value. One that is gone stays gone.
func (a *Authenticator) SignOut(ctx context.Context, cookie string) error {
	session, m, err := a.resume(ctx, cookie)
	if errors.Is(err, loop.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	rec := audit.OfMember(ctx, a.World.Now(), audit.MemberSignedOut, m.ID)
	rec.Detail = audit.Detail{"session": string(session.ID)}
	return a.Store.EndSession(ctx, session.Hash, a.OnSessionEnd, rec)
}
