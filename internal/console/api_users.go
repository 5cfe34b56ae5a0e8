package console

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/web"
)

// userView is a member's account for a service: nothing of their results, and neither sex
// nor birth date, by which results are judged.
type userView struct {
	ID            loop.MemberID `json:"user_id"`
	Name          string        `json:"name"`
	Email         loop.Email    `json:"email"`
	EmailVerified bool          `json:"email_verified"`
	Locale        string        `json:"locale"`
	Test          bool          `json:"test"`
	Suspended     bool          `json:"suspended"`
	CreatedAt     *time.Time    `json:"created_at"`
	ErasesAt      *time.Time    `json:"erases_at"`
	ErasedAt      *time.Time    `json:"erased_at"`
}

func userOf(m *loop.Member) userView {
	return userView{
		m.ID, m.Name, m.Email, m.EmailVerified, m.Locale, m.Test, m.Suspended, instant(m.CreatedAt), instant(m.ErasesAt), instant(m.ErasedAt),
	}
}

// instant is a moment on the wire; null: there is none.
func instant(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	at = at.UTC()
	return &at
}

// grantView is what a member allows an app, or allowed it.
type grantView struct {
	ID        loop.GrantID  `json:"grant_id"`
	Client    loop.ClientID `json:"client_id"`
	Scopes    string        `json:"scope"`
	CreatedAt *time.Time    `json:"created_at"`
	RevokedAt *time.Time    `json:"revoked_at"`
}

// findUsers answers GET /v1/admin/users: like the console, it finds one by id or address,
// and lists nobody.
func (h *Host) findUsers(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
	query, err := parameters(r, "q")
	if err != nil {
		return err
	}
	if query.Get("q") == "" {
		return loop.Errorf(loop.ValidationError, "Say who is sought: q is a member's id (user_…) or e-mail address. Nobody is listed without a search.").About("q")
	}
	m, err := h.sought(r.Context(), query.Get("q"))
	if err != nil {
		return err
	}
	found, id := rows[userView]{Rows: []userView{}}, loop.MemberID("")
	if m != nil {
		found, id = rows[userView]{[]userView{userOf(m)}, 1}, m.ID
	}
	if err := h.Team.Viewed(r.Context(), service(token), "users", id, ""); err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, found)
}

// sought gives the member who is sought; nil where there is none.
func (h *Host) sought(ctx context.Context, q string) (*loop.Member, error) {
	id, err := h.find(ctx, q)
	switch {
	case errors.Is(err, errUnsearchable):
		return nil, errUnsearchable.About("q")
	case errors.Is(err, errNobody):
		return nil, nil //nolint:nilnil // nobody was found, which is no error
	case err != nil:
		return nil, err
	}
	m, err := h.Operations.Store.Member(ctx, id)
	if errors.Is(err, loop.ErrNotFound) {
		return nil, nil //nolint:nilnil // as above
	}
	return m, err
}

// showUser answers GET /v1/admin/users/{id}.
func (h *Host) showUser(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
	m, err := h.Operations.Store.Member(r.Context(), userID(r))
	if errors.Is(err, loop.ErrNotFound) {
		return errNoUser
	}
	if err != nil {
		return err
	}
	view := struct {
		userView
		Grants []grantView `json:"grants"`
	}{userOf(m), []grantView{}}
	grants, err := h.Operations.Store.Grants(r.Context(), m.ID)
	if err != nil {
		return err
	}
	for _, g := range grants {
		view.Grants = append(view.Grants, grantView{g.ID, g.Client, g.Scopes.String(), instant(g.CreatedAt), instant(g.RevokedAt)})
	}
	if err := h.Team.Viewed(r.Context(), service(token), "user", m.ID, ""); err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, view)
}

// errNoUser is the answer to an id that no member has.
var errNoUser = loop.Errorf(loop.NotFound, "There is no member with this id.")

// userID is the id in the address; empty, which nobody has, where it is none.
func userID(r *http.Request) loop.MemberID {
	if id := loop.MemberID(r.PathValue("id")); id.Valid() {
		return id
	}
	return ""
}

// suspendUser answers POST /v1/admin/users/{id}/suspend: the member's sessions and tokens
// have ended when the answer comes.
func (h *Host) suspendUser(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
	return h.setSuspended(w, r, token, true, h.Operations.Users.Suspend)
}

// resumeUser answers POST /v1/admin/users/{id}/resume.
func (h *Host) resumeUser(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
	return h.setSuspended(w, r, token, false, h.Operations.Users.Reinstate)
}

// setSuspended does what is done to a member; done already, it changes nothing. The answer
// says no more of them, since that would be a view.
func (h *Host) setSuspended(w http.ResponseWriter, r *http.Request, token oauth.AccessToken, suspended bool, act func(context.Context, loop.MemberID, audit.Actor) error) error {
	id := userID(r)
	if err := act(r.Context(), id, service(token)); err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, struct {
		ID        loop.MemberID `json:"user_id"`
		Suspended bool          `json:"suspended"`
	}{id, suspended})
}
