package signin

import (
	"context"
	"errors"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
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

func (a *Authenticator) resume(ctx context.Context, cookie string) (*Session, *loop.Member, error) {
	if _, wellFormed := credential.SessionPrefix.Parse(cookie); !wellFormed {
		return nil, nil, loop.ErrNotFound
	}
	session, err := a.Store.Session(ctx, credential.SecretOf(cookie).Hash())
	if err != nil {
		return nil, nil, err
	}
	now := a.World.Now()
	if !now.Before(session.ExpiresAt) || now.Sub(session.SeenAt) >= SessionIdle {
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

// begin starts a session for a member who has proven who they are, with a new
// secret; the session that the browser had before ends with the same act. One of
// the same member goes on under its name: apps know it by that (sid), and have to
// hear of its end.
func (a *Authenticator) begin(ctx context.Context, m *loop.Member, before string) (credential.Secret, error) {
	cookie := credential.NewSecret(a.World, credential.SessionPrefix)
	now := a.World.Now()
	session := Session{
		Hash: cookie.Hash(), ID: loop.NewSessionID(a.World), Member: m.ID,
		Authentication: loop.Authentication{At: now, Methods: loop.ByPassword}, SeenAt: now, ExpiresAt: now.Add(SessionAtMost),
	}
	if old, oldMember, err := a.resume(ctx, before); err == nil && oldMember.ID == m.ID {
		session.ID = old.ID
	}
	rec := audit.OfMember(ctx, a.World.Now(), audit.MemberSignedIn, m.ID)
	rec.Detail = audit.Detail{"session": string(session.ID)}
	err := a.Store.StartSession(ctx, session, credential.SecretOf(before).Hash(), a.OnSessionEnd, rec)
	if errors.Is(err, loop.ErrNotFound) {
		return credential.Secret{}, errSignIn // suspended in the meantime
	}
	return cookie, err
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
