package portal

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/limit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
)

// sessionLife is how long a developer stays signed in.
const sessionLife = loop.DeveloperSessionLife

// session is who is signed in: what the session cookie holds, sealed.
type session struct {
	ID       string // by which it is known once it has ended
	SignIn   string // the session at identity that it came from (sid)
	Member   loop.MemberID
	Name     string
	AuthTime time.Time // of the sign-in at identity
	IssuedAt time.Time
	Since    time.Time // when the developer had come before; zero: never
	State    string    // of the attempt that it came from
	Return   string    // where that attempt led
}

func (s *session) hash() [32]byte { return sha256.Sum256([]byte(s.ID)) }

// signInHash is what is noted of a sign-in that has ended at identity.
func signInHash(sid string) [32]byte { return sha256.Sum256([]byte("sign-in " + sid)) }

func (s *session) expiresAt() time.Time { return s.IssuedAt.Add(sessionLife) }

// developer is the signed-in developer of a request.
type developer struct{ session }

func (d *developer) actor() audit.Actor {
	return audit.Actor{Kind: audit.ByMember, ID: string(d.Member)}
}

// developer finds who is signed in; nil where nobody is. A cookie outlives
// neither its twelve hours, nor its signing out, nor the account: one that was
// suspended, resumed, changed or deleted since is nobody's.
func (h *Host) developer(r *http.Request) (*developer, error) {
	s, ok := h.openSession(r)
	if !ok {
		return nil, nil //nolint:nilnil // nobody is signed in, and that is no error
	}
	m, err := h.members.Member(r.Context(), s.Member)
	if errors.Is(err, loop.ErrNotFound) || err == nil && (m.Suspended || s.IssuedAt.Before(m.UpdatedAt)) {
		return nil, nil //nolint:nilnil // as above
	}
	if err != nil {
		return nil, err
	}
	if ended, err := h.sessions.PortalSessionEnded(r.Context(), s.hash(), signInHash(s.SignIn)); err != nil || ended {
		return nil, err
	}
	web.NoteMember(r.Context(), s.Member)
	return &developer{s}, nil
}

// openSession opens the session cookie; not ok where there is none or its time
// is over.
func (h *Host) openSession(r *http.Request) (s session, ok bool) {
	s, ok = open[session](h.sealer, sealedSession, h.session.Read(r))
	return s, ok && s.ID != "" && loop.Alive(h.site.World.Now(), s.IssuedAt, sessionLife)
}

// Limited is the phase that every page passes: it counts by developer or, where
// nobody is signed in, by network. A developer who was suspended since is still
// counted by name.
func (h *Host) Limited(next web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		key := limit.ByAddress(web.Address(r.Context()))
		if s, ok := h.openSession(r); ok {
			key = limit.ByMember(s.Member)
		}
		if err := h.site.Limit(w, limit.Portal, key, 0); err != nil {
			return err
		}
		return next(w, r)
	}
}
