// Package console is the pages of operators, at /admin on identity's host: members, apps,
// the record, keys and health. It does what the command line does, by the same operations,
// for members who were given a role (package operator).
//
// The same for programs is the admin API, at /v1/admin (api.go).
//
// Whoever has no role finds nothing there. A sign-in is an hour old at most, for an act
// five minutes, and by passkey or second factor where the account has one. Each page is
// recorded before it is shown, and none shows a health value.
package console

import (
	"context"
	"embed"
	"io/fs"
	"net/http"
	"net/url"

	"github.com/loop-health/loop/internal/admin"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/operator"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

//go:embed pages/*.html
var pageFiles embed.FS

// Strength says how an account can prove who it is.
type Strength interface {
	// HasStrong reports whether a member has a passkey or a second factor.
	HasStrong(ctx context.Context, id loop.MemberID) (bool, error)
}

// Visitors are who is signed in in a browser.
type Visitors interface {
	// SignIn gives the request's sign-in; nil where there is none.
	SignIn(r *http.Request) (*loop.SignIn, error)
	// Form reads a form that this host has made.
	Form(w http.ResponseWriter, r *http.Request) (url.Values, error)
	// Carry is what forms post back.
	Carry(w http.ResponseWriter, r *http.Request, j visitor.Journey) visitor.Carried
}

// Health is what the platform says of itself.
type Health interface {
	// Health gives each thing that it cannot serve without, with what is wrong; empty:
	// nothing is.
	Health(ctx context.Context) []Finding
}

// Finding is what a check found.
type Finding struct{ Name, Fault string }

// Config is what the console needs.
type Config struct {
	Visitors   Visitors
	Team       *operator.Team
	Strength   Strength
	Operations admin.Operations
	Health     Health
	// Resource makes the phase that requests with access tokens pass, for the admin API.
	Resource func(*web.Site) *web.Resource
}

// Host is the console.
type Host struct {
	Config
	pages *web.Pages
	world loop.World
}

// New makes the console. A page that does not parse is an error.
func New(config Config) (*Host, error) {
	files, err := fs.Sub(pageFiles, "pages")
	if err != nil {
		return nil, err
	}
	pages, err := web.ParsePages("console", files)
	return &Host{Config: config, pages: pages}, err
}

// The addresses of the console.
const (
	overviewPath = visitor.ConsolePath
	membersPath  = visitor.ConsolePath + "/members"
	appsPath     = visitor.ConsolePath + "/apps"
	recordPath   = visitor.ConsolePath + "/record"
)

// Mount adds the console to identity's host.
func (h *Host) Mount(site *web.Site) {
	h.world = site.World
	for _, route := range h.routes() {
		handler := h.view(route.see)
		if route.act != nil {
			handler = h.act(route.act)
		}
		site.Page(route.pattern, handler)
	}
	h.mountAPI(site)
}

// route is an address of the console: a page to see, or an act.
type route struct {
	pattern string
	see     func(w http.ResponseWriter, r *http.Request, on *onDuty) error
	act     func(r *http.Request, on *onDuty, form url.Values) (next string, err error)
}

func (h *Host) routes() []route {
	return []route{
		{pattern: "GET " + overviewPath, see: h.showOverview},
		{pattern: "GET " + membersPath, see: h.showMembers},
		{pattern: "GET " + membersPath + "/{member}", see: h.showMember},
		{pattern: "GET " + appsPath, see: h.showApps},
		{pattern: "GET " + appsPath + "/{client}", see: h.showApp},
		{pattern: "GET " + recordPath, see: h.showRecord},
		{pattern: "POST " + membersPath + "/{member}", act: h.actOnMember},
		{pattern: "POST " + appsPath + "/{client}", act: h.actOnApp},
	}
}
