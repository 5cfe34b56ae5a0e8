package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
)

// membersView is the data of members.html.
type membersView struct {
	web.ConsoleFrame
	Sought string
	Fault  string
}

// showMembers answers GET /admin/members: it finds one by id or address, and lists nobody.
func (h *Host) showMembers(w http.ResponseWriter, r *http.Request, on *onDuty) error {
	view := membersView{ConsoleFrame: h.frame(w, r, "members", on), Sought: r.URL.Query().Get("who")}
	if view.Sought != "" {
		id, err := h.find(r.Context(), view.Sought)
		switch {
		case errors.Is(err, errUnsearchable), errors.Is(err, errNobody):
			view.Fault = loop.AsError(err).Description
		case err != nil:
			return err
		default:
			return web.SeeOther(w, r, membersPath+"/"+string(id))
		}
	}
	return h.show(w, r, on, "members", "", "", view)
}

// The answers to a search that finds nobody.
var (
	errUnsearchable = loop.Errorf(loop.ValidationError, "That is neither a member's id (user_…) nor an e-mail address.")
	errNobody       = loop.Errorf(loop.NotFound, "Nobody has an account with this address.")
)

// find gives the id that was sought, whether or not somebody has it, or whose address it
// is; errUnsearchable, errNobody.
func (h *Host) find(ctx context.Context, sought string) (loop.MemberID, error) {
	if id := loop.MemberID(sought); id.Valid() {
		return id, nil
	}
	email, err := loop.ParseEmail(sought)
	if err != nil {
		return "", errUnsearchable
	}
	m, _, err := h.Operations.Store.Account(ctx, email)
	if errors.Is(err, loop.ErrNotFound) {
		return "", errNobody
	}
	if err != nil {
		return "", err
	}
	return m.ID, nil
}

// memberView is the data of member.html.
type memberView struct {
	web.ConsoleFrame
	Member   *loop.Member
	Since    string
	Erases   string
	Grants   []grantRow
	Sessions []sessionRow
	Records  []recordRow
}

type grantRow struct {
	ID     loop.GrantID
	Client loop.ClientID
	App    string
	Scopes string
	Since  string
	Ended  string
}

type sessionRow struct{ ID, SignedIn, Seen, Methods, Device string }

// memberRecords is how many records of a member their page shows.
const memberRecords = 50

// showMember answers GET /admin/members/{member}.
func (h *Host) showMember(w http.ResponseWriter, r *http.Request, on *onDuty) error {
	m, err := h.member(r)
	if err != nil {
		return err
	}
	view := memberView{ConsoleFrame: h.frame(w, r, "members", on), Member: m, Since: moment(m.CreatedAt), Erases: moment(m.ErasesAt)}
	if view.Grants, err = h.grants(r, m.ID); err != nil {
		return err
	}
	sessions, err := h.Operations.Sessions.Sessions(r.Context(), m)
	if err != nil {
		return err
	}
	for _, s := range sessions {
		view.Sessions = append(view.Sessions, sessionRow{string(s.ID), moment(s.Authentication.At), moment(s.SeenAt), s.Authentication.Methods.String(), s.Device.String()})
	}
	if view.Records, err = h.records(r.Context(), filterOf(m.ID, ""), memberRecords); err != nil {
		return err
	}
	return h.show(w, r, on, "member", m.ID, "", view)
}

// member reads the member that the address names; NotFound where there is none.
func (h *Host) member(r *http.Request) (*loop.Member, error) {
	m, err := h.Operations.Store.Member(r.Context(), loop.MemberID(r.PathValue("member")))
	if errors.Is(err, loop.ErrNotFound) {
		return nil, web.NotFound()
	}
	return m, err
}

func (h *Host) grants(r *http.Request, id loop.MemberID) (rows []grantRow, err error) {
	grants, err := h.Operations.Store.Grants(r.Context(), id)
	for _, g := range grants {
		rows = append(rows, grantRow{g.ID, g.Client, g.AppName, g.Scopes.String(), moment(g.CreatedAt), moment(g.RevokedAt)})
	}
	return rows, err
}

// actOnMember answers POST /admin/members/{member}.
func (h *Host) actOnMember(r *http.Request, on *onDuty, form url.Values) (next string, err error) {
	m, err := h.member(r)
	if err != nil {
		return "", err
	}
	switch ctx := r.Context(); form.Get("act") {
	case "suspend":
		err = h.Operations.Users.Suspend(ctx, m.ID, on.actor())
	case "resume":
		err = h.Operations.Users.Reinstate(ctx, m.ID, on.actor())
	case "sign-out":
		err = h.Operations.Sessions.EndFor(ctx, m.ID, loop.SessionID(form.Get("session")), on.actor())
	case "revoke":
		err = h.Operations.Grants.RevokeGrant(ctx, loop.GrantID(form.Get("grant")), on.actor())
	default:
		err = errNoAct
	}
	return membersPath + "/" + string(m.ID), err
}

// errNoAct is the answer to a form that says nothing to do.
var errNoAct = loop.Errorf(loop.InvalidRequest, "This form does not say what to do. Go back and try again.")
