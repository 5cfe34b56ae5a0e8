package portal

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/requestlog"
	"github.com/loop-health/loop/internal/web"
)

// requestsOnPage is how many requests a page lists.
const requestsOnPage = 50

// liveSeconds is after how long a page that follows the log asks again.
const liveSeconds = 3

// requestsView is the data of requests.html.
type requestsView struct {
	web.PortalFrame
	App      appRow
	Outcomes []outcome
	Chart    hoursChart
	Filter   requestlog.Filter
	Routes   []string    // that the filter can choose
	Codes    []loop.Code // likewise
	Requests []requestRow
	Groups   []groupRow
	Count    int // of what the filter chose
	Total    int
	P95      string
	Live     bool
	Follow   string // the same page, following the log or not any more
	Older    string // the next page; empty: this is the last
}

// requestRow is a request in a list.
type requestRow struct {
	Path    string
	Time    string // with seconds
	Machine string
	Route   string
	Status  int
	Error   loop.Code
	Took    string
	Class   requestlog.Class
	Claimed bool
}

type groupRow struct {
	requestlog.Group
	Path string // of the newest
}

// outcome is a choice of the filter.
type outcome struct {
	Value  requestlog.Class
	Label  string
	Chosen bool
}

func outcomes(filter requestlog.Filter) []outcome {
	all := []outcome{{"", "all", false}, {requestlog.Answered, "answered", false}, {requestlog.Refused, "refused", false}, {requestlog.Failed, "failed on our side", false}}
	for i := range all {
		all[i].Chosen = all[i].Value == filter.Class
	}
	return all
}

// listRequests answers GET /apps/{id}/requests: the newest requests, by filters.
func (h *Host) listRequests(w http.ResponseWriter, r *http.Request, dev *developer, app *loop.Client) error {
	entries, err := h.requests.List(r.Context(), app.ID)
	if err != nil {
		return err
	}
	hours, err := h.requests.Hours(r.Context(), app.ID, chartBegin(h.site.World.Now()))
	if err != nil {
		return err
	}
	query := r.URL.Query()
	filter := requestlog.Filter{Class: requestlog.Class(query.Get("class")), Error: loop.Code(query.Get("error")), Route: query.Get("route")}
	chosen := filter.Apply(entries)
	view := requestsView{
		PortalFrame: h.frame("apps", dev), App: newAppRow(app), Outcomes: outcomes(filter), Chart: newHoursChart(hours, h.site.World.Now()), Filter: filter,
		Routes: routesOf(entries), Codes: codesOf(entries), Count: len(chosen), Total: len(entries), Live: query.Get("live") == "1",
	}
	for _, group := range requestlog.Groups(entries) {
		view.Groups = append(view.Groups, groupRow{group, requestPath(group.Newest.Request)})
	}
	if len(entries) > 0 {
		view.P95 = took(requestlog.Percentile95(entries))
	}
	from := pageBegin(query.Get("from"), len(chosen))
	for _, entry := range chosen[from:min(from+requestsOnPage, len(chosen))] {
		view.Requests = append(view.Requests, newRequestRow(entry))
	}
	view.Follow = withParameter(r.URL, "live", map[bool]string{true: "", false: "1"}[view.Live])
	if from+requestsOnPage < len(chosen) {
		view.Older = withParameter(r.URL, "from", strconv.Itoa(from+requestsOnPage))
	}
	if view.Live {
		w.Header().Set("Refresh", strconv.Itoa(liveSeconds))
	}
	return h.render(w, http.StatusOK, "requests", view)
}

// pageBegin reads where a page begins; 0 for what makes no sense.
func pageBegin(text string, count int) int {
	from, err := strconv.Atoi(text)
	if err != nil || from < 0 || from > count {
		return 0
	}
	return from
}

// withParameter is a page's own address with one parameter changed; empty: without it.
func withParameter(u *url.URL, name, value string) string {
	query := u.Query()
	query.Del(name)
	if name != "from" {
		query.Del("from")
	}
	if value != "" {
		query.Set(name, value)
	}
	return u.Path + "?" + query.Encode()
}

func newRequestRow(e requestlog.Entry) requestRow {
	return requestRow{
		Path: requestPath(e.Request), Time: e.At.UTC().Format("2 January, 15:04:05"), Machine: e.At.UTC().Format(time.RFC3339),
		Route: routeName(e.Route), Status: e.Status, Error: e.Error, Took: took(e.Took), Class: e.Class(), Claimed: e.Claimed,
	}
}

// routeName is how a route is shown.
func routeName(pattern string) string {
	if pattern == "" || pattern == "/" {
		return "no address of ours"
	}
	return pattern
}

// took shows a duration in milliseconds.
func took(d time.Duration) string {
	return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 1, 64) + " ms"
}

func routesOf(entries []requestlog.Entry) []string {
	var routes []string
	for _, e := range entries {
		routes = append(routes, e.Route)
	}
	slices.Sort(routes)
	return slices.Compact(routes)
}

func codesOf(entries []requestlog.Entry) []loop.Code {
	var codes []loop.Code
	for _, e := range entries {
		if e.Error != "" {
			codes = append(codes, e.Error)
		}
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

func requestPath(id loop.RequestID) string { return "/requests/" + string(id) }

// requestView is the data of request.html.
type requestView struct {
	web.PortalFrame
	requestlog.Explanation
	App   appRow
	Row   requestRow
	Page  string // of the documentation, on its error
	Added bool   // its redirect URI is registered by now
	// CanAdd: the redirect URI that was sent can be registered here, by one button.
	CanAdd bool
}

// showRequest answers GET /requests/{request}: what was received, which rule refused
// it, and how it has to look.
func (h *Host) showRequest(w http.ResponseWriter, _ *http.Request, dev *developer, app *loop.Client, entry requestlog.Entry) error {
	x := requestlog.Explain(entry, app, requestlog.Addresses{Identity: h.identity.issuer, Clinical: strings.TrimSuffix(h.clinical.String(), "/")})
	view := requestView{
		PortalFrame: h.frame("apps", dev), Explanation: x, App: newAppRow(app), Row: newRequestRow(entry),
		CanAdd: x.Unregistered != "" && app.Mode == loop.Development,
		Added:  entry.Field == "redirect_uri" && x.Rule != nil && x.Unregistered == "" && slices.Contains(app.RedirectURIs, loop.RedirectURI(entry.Value("redirect_uri"))),
	}
	if x.Rule != nil {
		view.Page = web.ErrorPath(entry.Error)
	}
	return h.render(w, http.StatusOK, "request", view)
}

// addRedirectURI answers POST /requests/{request}/redirect-uri: it registers the
// redirect URI of the request, for an app in development mode. What is registered is
// what the log holds, never what the form says.
func (h *Host) addRedirectURI(w http.ResponseWriter, r *http.Request, dev *developer, app *loop.Client, entry requestlog.Entry) error {
	x := requestlog.Explain(entry, app, requestlog.Addresses{})
	if app.Mode != loop.Development {
		return loop.Errorf(loop.Forbidden, "The redirect URIs of an app in production are changed on its own page, where what follows from it is said.")
	}
	if x.Unregistered == "" {
		return loop.Errorf(loop.ValidationError, "This request has no redirect URI that could be registered. Look at it again: it may be registered by now.")
	}
	changed := app.Clone()
	changed.RedirectURIs = append(changed.RedirectURIs, x.Unregistered)
	if faults := h.clients.Faults(changed); len(faults) > 0 {
		return loop.AsError(faults[0])
	}
	return h.press(w, r, dev, app, func(act registration.Sent) error {
		return act.Update(r.Context(), app.ID, func(c *loop.Client) { c.RedirectURIs = append(slices.Clone(c.RedirectURIs), x.Unregistered) })
	})
}
