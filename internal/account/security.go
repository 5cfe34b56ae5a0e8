package account

import (
	"encoding/base64"
	"errors"
	"net/http"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/web"
)

// securityView is the data of security.html.
type securityView struct {
	web.AccountFrame
	Mails          bool // the address can be changed by mail
	OffersPasskeys bool
	Passkeys       []passkeyRow
	Factor         *signin.Factor // nil: none
	Sessions       []sessionRow
	Others         bool // there are other sessions than this one
	Done           string
}

// passkeyRow is a passkey in the list.
type passkeyRow struct {
	ID     string // base64url
	Name   string
	Since  time.Time
	UsedAt time.Time // zero: never
}

// sessionRow is a session in the list.
type sessionRow struct {
	ID     loop.SessionID
	Device signin.Device
	Since  time.Time
	SeenAt time.Time
	Here   bool // the one that looks
}

// showSecurity answers GET /account/security: how the member signs in, and where they
// are signed in.
func (h *Host) showSecurity(w http.ResponseWriter, r *http.Request, signIn *loop.SignIn) error {
	view := securityView{AccountFrame: h.frame(w, r, "security", signIn.Member), Mails: h.Mailed != nil, OffersPasskeys: h.SignIns.OffersPasskeys(), Done: doneOn(r)}
	passkeys, err := h.SignIns.Passkeys.Passkeys(r.Context(), signIn.Member.ID)
	if err != nil {
		return err
	}
	for _, p := range passkeys {
		view.Passkeys = append(view.Passkeys, passkeyRow{ID: base64.RawURLEncoding.EncodeToString(p.ID), Name: p.Name, Since: p.CreatedAt, UsedAt: p.UsedAt})
	}
	view.Factor, err = h.SignIns.Factors.Factor(r.Context(), signIn.Member.ID)
	if err != nil && !errors.Is(err, loop.ErrNotFound) {
		return err
	}
	sessions, err := h.SignIns.Sessions(r.Context(), signIn.Member)
	if err != nil {
		return err
	}
	for _, s := range sessions {
		view.Sessions = append(view.Sessions, sessionRow{ID: s.ID, Device: s.Device, Since: s.Authentication.At, SeenAt: s.SeenAt, Here: s.ID == signIn.Session})
	}
	view.Others = len(sessions) > 1
	return h.Visitors.Show(w, r, h.ownPages, "security", view, nil)
}

// doneOn is what was just done, of what the page has words for.
func doneOn(r *http.Request) string {
	for _, done := range []string{"added", "removed", "ended", "factor"} {
		if r.URL.Query().Has(done) {
			return done
		}
	}
	return ""
}

// postSessions answers POST /account/security/sessions: end one session, or all others.
// It asks for no recent sign-in, since it can only take something from who is signed in.
func (h *Host) postSessions(w http.ResponseWriter, r *http.Request, signIn *loop.SignIn) error {
	form, err := h.Visitors.Form(w, r)
	if err != nil {
		return err
	}
	if form.Get("act") == "others" {
		err = h.SignIns.EndOthers(r.Context(), signIn)
	} else {
		err = h.SignIns.EndOne(r.Context(), signIn.Member, loop.SessionID(form.Get("session")))
	}
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, securityPath+"?ended")
}
