package account

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/connection"
	"github.com/loop-health/loop/internal/limit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// The paths of the API about the member's own account.
const (
	grantsPath        = "/v1/me/grants"
	connectedAppsPath = "/v1/users/me/connected-apps"
	userPath          = "/v1/users/me"
)

// mountAPI adds what apps may ask for the member about the member's account.
func (h *Host) mountAPI(site *web.Site) {
	h.origin = site.PublicURL.String()
	resource := h.Resource(site)
	see := web.Access{Scope: loop.ScopeManageConnectedApps, Class: limit.Read}
	change := web.Access{Scope: loop.ScopeManageConnectedApps, Class: limit.Write}
	for _, route := range []struct {
		pattern string
		needs   web.Access
		handler web.ResourceHandler
	}{
		{"GET " + userPath, web.Access{Scope: loop.ScopeReadAccount, Class: limit.Read}, h.showUser},
		{"GET " + grantsPath, see, h.listGrants},
		{"DELETE " + grantsPath + "/{id}", change, h.revokeGrant},
		{"PATCH " + grantsPath + "/{id}", change, h.narrowGrant},
		{"GET " + grantsPath + "/{id}/activity", see, h.grantActivity},
		{"GET " + connectedAppsPath, see, h.listConnectedApps},
		{"DELETE " + connectedAppsPath + "/{client}", change, h.revokeConnectedApp},
	} {
		site.BrowserAPI(route.pattern, resource.Require(route.needs, route.handler))
	}
}

// userAnswer is the account that a token is for.
type userAnswer struct {
	ID        loop.MemberID `json:"user_id"`
	CreatedAt time.Time     `json:"created_at"`
	Status    string        `json:"status"`
	Locale    string        `json:"locale"`
}

// showUser answers GET /v1/users/me. A suspended member has no token that works, so
// whoever reads this is active.
func (h *Host) showUser(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
	m, err := h.Accounts.Member(r.Context(), token.Member)
	if err != nil {
		return web.Unavailable(err)
	}
	return web.WriteJSON(w, http.StatusOK, userAnswer{m.ID, m.CreatedAt.UTC(), "active", m.Locale})
}

// list is a list in the API's form.
type list[T any] struct {
	Data []T `json:"data"`
}

// connectedApp is an app that the member allowed.
type connectedApp struct {
	ClientID   loop.ClientID `json:"client_id"`
	Name       string        `json:"client_name"`
	URI        *string       `json:"client_uri"`
	LogoURI    *string       `json:"logo_uri"`
	FirstParty bool          `json:"is_first_party"`
	Scopes     []loop.Scope  `json:"scopes_granted"`
	GrantedAt  time.Time     `json:"granted_at"`
	UpdatedAt  time.Time     `json:"updated_at"`
}

// grant is the same with the grant's id and its last use.
type grant struct {
	ID loop.GrantID `json:"id"`
	connectedApp
	LastUsedAt *time.Time `json:"last_used_at"`
	ExpiresAt  *time.Time `json:"expires_at"` // that the member chose
}

func (h *Host) newConnectedApp(app *connection.App) connectedApp {
	c := connectedApp{
		ClientID: app.Client.ID, Name: app.Client.Name, FirstParty: app.Client.FirstParty, Scopes: append([]loop.Scope{}, app.Grant.Scopes...),
		GrantedAt: app.Grant.CreatedAt.UTC(), UpdatedAt: app.Grant.UpdatedAt.UTC(),
	}
	if app.Client.HomePage != "" {
		c.URI = &app.Client.HomePage
	}
	if path := visitor.LogoPath(app.Client); path != "" {
		logo := h.origin + path
		c.LogoURI = &logo
	}
	return c
}

func (h *Host) newGrant(app *connection.App) grant {
	g := grant{ID: app.Grant.ID, connectedApp: h.newConnectedApp(app)}
	if !app.LastUsedAt.IsZero() {
		g.LastUsedAt = &app.LastUsedAt
	}
	if !app.Grant.EndsAt.IsZero() {
		g.ExpiresAt = &app.Grant.EndsAt
	}
	return g
}

func listOf[T any](apps []connection.App, form func(*connection.App) T) list[T] {
	l := list[T]{Data: make([]T, len(apps))}
	for i := range apps {
		l.Data[i] = form(&apps[i])
	}
	return l
}

// listGrants answers GET /v1/me/grants.
func (h *Host) listGrants(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
	apps, err := h.Connections.List(r.Context(), token.Member)
	if err != nil {
		return web.Unavailable(err)
	}
	return web.WriteJSON(w, http.StatusOK, listOf(apps, h.newGrant))
}

// listConnectedApps answers GET /v1/users/me/connected-apps.
func (h *Host) listConnectedApps(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
	apps, err := h.Connections.List(r.Context(), token.Member)
	if err != nil {
		return web.Unavailable(err)
	}
	return web.WriteJSON(w, http.StatusOK, listOf(apps, h.newConnectedApp))
}

// revokeGrant answers DELETE /v1/me/grants/{id}: 204, for a grant that has ended too.
func (h *Host) revokeGrant(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
	return h.end(w, r, token, loop.GrantID(r.PathValue("id")))
}

// revokeConnectedApp answers DELETE /v1/users/me/connected-apps/{client}.
func (h *Host) revokeConnectedApp(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
	granted, err := h.Connections.LiveTo(r.Context(), token.Member, loop.ClientID(r.PathValue("client")))
	if errors.Is(err, loop.ErrNotFound) {
		return errNoGrant
	}
	if err != nil {
		return web.Unavailable(err)
	}
	return h.end(w, r, token, granted.ID)
}

// errNoGrant is the answer for a grant that the member does not have.
var errNoGrant = loop.Errorf(loop.NotFound, "The member has not allowed such an app.")

func (h *Host) end(w http.ResponseWriter, r *http.Request, token oauth.AccessToken, id loop.GrantID) error {
	err := h.Connections.Disconnect(r.Context(), token.Member, id, byApp(token))
	if errors.Is(err, loop.ErrNotFound) {
		return errNoGrant
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// byApp is the app that acts for the member.
func byApp(token oauth.AccessToken) audit.Actor {
	return audit.Actor{Kind: audit.ByClient, ID: string(token.Client)}
}

// maxPatchBytes bounds the body of a change.
const maxPatchBytes = 4 << 10

// narrowGrant answers PATCH /v1/me/grants/{id} with {"scopes": […]}: what the app keeps.
func (h *Host) narrowGrant(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
	body, err := web.JSONBody(w, r, maxPatchBytes)
	if err != nil {
		return err
	}
	var sent struct {
		Scopes *[]loop.Scope `json:"scopes"`
	}
	if err := json.Unmarshal(body, &sent); err != nil || sent.Scopes == nil {
		return loop.Errorf(loop.ValidationError, `Send the scopes that the app keeps: {"scopes": ["openid"]}.`).About("scopes")
	}
	for _, scope := range *sent.Scopes {
		if _, known := scope.Info(); !known {
			return loop.Errorf(loop.ValidationError, "One of these scopes does not exist.").About("scopes")
		}
	}
	id := loop.GrantID(r.PathValue("id"))
	if err := h.Connections.Narrow(r.Context(), token.Member, id, loop.NewScopes(*sent.Scopes...), byApp(token)); err != nil {
		return err
	}
	app, err := h.Connections.Find(r.Context(), token.Member, id)
	if err != nil {
		return web.Unavailable(err)
	}
	return web.WriteJSON(w, http.StatusOK, h.newGrant(app))
}

// activityAnswer is a page of what an app read.
type activityAnswer struct {
	Data []activityRead `json:"data"`
	Next *string        `json:"next_cursor"`
}

type activityRead struct {
	At      time.Time `json:"at"`
	Action  string    `json:"action"`
	Results int       `json:"results"`
}

// grantActivity answers GET /v1/me/grants/{id}/activity: what the app of a live grant
// read, newest first.
func (h *Host) grantActivity(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
	after, err := connection.ParseReadPlace(r.URL.Query().Get("cursor"))
	if err != nil {
		return err
	}
	granted, err := h.Connections.Live(r.Context(), token.Member, loop.GrantID(r.PathValue("id")))
	if errors.Is(err, loop.ErrNotFound) {
		return errNoGrant
	}
	if err != nil {
		return web.Unavailable(err)
	}
	page, err := h.Connections.Activity(r.Context(), token.Member, granted.Client, after, readsAtOnce)
	if err != nil {
		return web.Unavailable(err)
	}
	answer := activityAnswer{Data: make([]activityRead, len(page.Reads))}
	for i := range page.Reads {
		answer.Data[i] = activityRead{page.Reads[i].At(), string(audit.BiomarkersRead), page.Reads[i].Count}
	}
	if next := page.Next.String(); next != "" {
		answer.Next = &next
	}
	return web.WriteJSON(w, http.StatusOK, answer)
}
