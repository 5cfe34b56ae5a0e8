package portal

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
)

// The playground takes a developer through a whole authorization with an app that is in
// development mode: theirs, or a ready-made one. What it holds between two steps is in
// a cookie, sealed, and nowhere else.

// playLife is how long a walk through the playground may take.
const playLife = time.Hour

// play is a walk through the playground: what its cookie holds, sealed.
type play struct {
	Member   loop.MemberID
	Client   loop.ClientID
	Secret   string `json:",omitempty"` // the app's, as the developer typed it
	Scope    string
	State    string
	Nonce    string
	Verifier string
	BeganAt  time.Time

	Code    string    `json:",omitempty"` // that came and was not exchanged yet
	Refused loop.Code `json:",omitempty"` // what came in place of a code
	Access  string    `json:",omitempty"`
	Refresh string    `json:",omitempty"`
	Used    string    `json:",omitempty"` // the refresh token before
	IDToken string    `json:",omitempty"`
}

// hasTokens reports whether the code was exchanged.
func (p *play) hasTokens() bool { return p.Access != "" }

// readPlay gives the walk that this browser is on; nil where there is none.
func (h *Host) readPlay(r *http.Request) *play {
	p, ok := open[play](h.sealer, sealedPlay, h.playing.Read(r))
	if !ok || !loop.Alive(h.site.World.Now(), p.BeganAt, playLife) {
		return nil
	}
	return &p
}

// player finds who walks: the developer who is signed in, or else the one who began the
// walk of this browser. Whoever signs in as a member on the way ends their own sign-in
// at identity, and with it that of the portal; the walk goes on.
func (h *Host) player(next developerHandler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		dev, err := h.developer(r)
		if err != nil {
			return err
		}
		walk := h.readPlay(r)
		if walk != nil && (dev == nil || dev.Member != walk.Member) {
			if dev, err = h.walker(r.Context(), walk); err != nil {
				return err
			}
		}
		if dev == nil {
			return h.signInFirst(w, r, nil, false)
		}
		return next(w, r, dev)
	}
}

// walker is the developer who began a walk; nil where they may not use the portal any
// more.
func (h *Host) walker(ctx context.Context, walk *play) (*developer, error) {
	m, err := h.members.Member(ctx, walk.Member)
	if errors.Is(err, loop.ErrNotFound) || err == nil && m.Suspended {
		return nil, nil //nolint:nilnil // nobody walks, and that is no error
	}
	if err != nil {
		return nil, err
	}
	web.NoteMember(ctx, walk.Member)
	return &developer{session{Member: walk.Member}}, nil
}

func (h *Host) keepPlay(w http.ResponseWriter, p *play) error {
	text, err := seal(h.sealer, sealedPlay, *p)
	if err != nil {
		return err
	}
	if len(text) > maxKeptForm {
		return loop.Errorf(loop.PayloadTooLarge, "What this app's tokens hold is too long to be kept in a cookie of the playground. Start over with fewer scopes.")
	}
	h.playing.Set(w, text, playLife)
	return nil
}

// playable reports whether the playground can play an app: one in development mode,
// whose tokens need no key of the app's.
func playable(app *loop.Client) bool {
	byText := app.Protocol.AuthMethod.BySecret() || app.Protocol.AuthMethod == loop.AuthNone
	return app.Enabled && app.Mode == loop.Development && app.MayUse(loop.GrantAuthorizationCode) && byText &&
		app.Protocol.Profile == loop.ProfileOAuth && !app.Protocol.DPoPBound && !app.Protocol.CertificateBound && !app.Protocol.RequireSignedRequestObject
}

// ready reports whether an app's members may return to the playground.
func (h *Host) ready(app *loop.Client) bool {
	return slices.Contains(app.RedirectURIs, h.playCallback)
}
