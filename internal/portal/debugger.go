package portal

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/oauth/parameter"
	"github.com/loop-health/loop/internal/requestlog"
	"github.com/loop-health/loop/internal/web"
)

// Inspector is the authorization server, as far as it looks at requests without
// answering them.
type Inspector interface {
	// Inspect makes the server's own checks on an authorization request and says what
	// each found. It changes nothing. An error says that something failed on our side.
	Inspect(ctx context.Context, params url.Values) (*oauth.Inspection, error)
}

// debuggerPath is the page where developers paste an authorization request.
const debuggerPath = "/debugger"

// debuggerView is the data of debugger.html.
type debuggerView struct {
	web.PortalFrame
	Endpoint string // where authorization requests are sent
	Pasted   string
	Verdict  *verdict // nil: nothing was pasted yet
}

// verdict is what became of a request that was pasted.
type verdict struct {
	Own      bool   // it is of an app of the developer's: each check is shown
	App      string // that app's name
	Checks   []checkRow
	Failed   int
	Answer   *loop.Error // that the request would get; nil: it is good
	Redirect string      // the host that the answer would go to; empty: a page
	Page     string      // of the documentation, on the answer's error
	Mended   string      // how it has to look, as a command; empty: it is good, or there is no such form
}

// checkRow is a check as it is shown.
type checkRow struct {
	Name    string
	Demand  string
	Value   string // that was sent, where the check is about a parameter
	Fault   *loop.Error
	Rule    *requestlog.Rule
	Compare *requestlog.Comparison
}

// demands is what each check of an authorization request demands, by the check's name.
var demands = map[string]string{
	"address":               "It is sent to the authorization endpoint, in at most 12 KiB.",
	"request, request_uri":  "A signed or pushed request is good, and comes alone.",
	"client_id":             "It names a registered app that is not disabled.",
	"redirect_uri":          "It equals a registered one, character by character. Only a loopback address may have another port.",
	"state":                 "At most 2,048 printable characters; there, if the app demands it of itself.",
	"response_mode":         "query or form_post, or not there.",
	"length":                "The request is at most 8 KiB; a longer one is pushed.",
	"duplicates":            "No parameter comes twice, but resource.",
	"profile":               "The app may use authorization_code, and pushes its requests if its profile says so.",
	"signature":             "The request is signed, if the app registered that.",
	"response_type":         "code.",
	"scope":                 "Every scope exists and is one of the app's; at least one is there.",
	"claims":                "Well-formed JSON, if it is there.",
	"nonce":                 "At most 512 bytes; there, if the app demands it.",
	"code_challenge":        "The SHA-256 of the code verifier, in base64url: 43 characters.",
	"code_challenge_method": "S256.",
	"dpop_jkt":              "The thumbprint of a key, 43 characters, if it is there.",
	"prompt":                "none, or any of login, consent and select_account.",
	"max_age":               "A whole number of seconds, if it is there.",
	"acr_values":            "Ways to sign in that can be met, if it is there.",
	"id_token_hint":         "An ID token that this app was given, if it is there.",
	"resource":              "A resource that tokens are given for, if it is there.",
}

// showDebugger answers GET /debugger.
func (h *Host) showDebugger(w http.ResponseWriter, r *http.Request, dev *developer) error {
	view := debuggerView{}
	if kept, ok := h.takeKeptForm(w, r, dev); ok {
		view.Pasted = kept.Get("url")
	}
	return h.debuggerPage(w, dev, view)
}

// debug answers POST /debugger: it says what the server finds in a request that was
// pasted. Nothing is done with it.
func (h *Host) debug(w http.ResponseWriter, r *http.Request, dev *developer) error {
	form, err := h.form(w, r, dev)
	if err != nil && !errors.Is(err, errOldForm) {
		return err
	}
	view := debuggerView{Pasted: strings.TrimSpace(form.Get("url"))}
	if view.Pasted != "" {
		if view.Verdict, err = h.judge(r.Context(), dev, view.Pasted); err != nil {
			return err
		}
	}
	return h.debuggerPage(w, dev, view)
}

func (h *Host) debuggerPage(w http.ResponseWriter, dev *developer, view debuggerView) error {
	view.PortalFrame, view.Endpoint = h.frame("debugger", dev), h.identity.issuer+oauth.AuthorizePath
	return h.render(w, http.StatusOK, "debugger", view)
}

// judge says what becomes of a request. Of an app that isn't the developer's it says
// what the server would tell anybody who sends it.
func (h *Host) judge(ctx context.Context, dev *developer, pasted string) (*verdict, error) {
	params, fault := h.readPasted(pasted)
	if fault != nil {
		row := checkRow{Name: "address", Demand: demands["address"], Fault: fault}
		return &verdict{Own: true, Checks: []checkRow{row}, Failed: 1, Answer: fault, Page: web.ErrorPath(fault.Code)}, nil
	}
	found, err := h.inspector.Inspect(ctx, params)
	if err != nil {
		return nil, err
	}
	v := &verdict{}
	if found.Refused != nil {
		v.Answer, v.Page = found.Refused.Fault, web.ErrorPath(found.Refused.Fault.Code)
		if found.Refused.To != nil {
			v.Redirect = found.Refused.To.RedirectURI.Host()
		}
	}
	if found.Client == nil || found.Client.Owner != dev.Member {
		return v, nil
	}
	v.Own, v.App = true, found.Client.Name
	v.Checks = []checkRow{{Name: "address", Demand: demands["address"]}}
	for _, checked := range found.Checked {
		row := h.checkRow(checked, params, found.Client)
		if row.Fault != nil {
			v.Failed++
		}
		v.Checks = append(v.Checks, row)
	}
	if v.Answer != nil {
		v.Mended = h.explain(v.Answer, params, found.Client).Mended
	}
	return v, nil
}

// maxShown is how much of a parameter is shown beside its check, in bytes.
const maxShown = 300

func (h *Host) checkRow(checked oauth.Checked, params url.Values, client *loop.Client) checkRow {
	row := checkRow{Name: checked.Name, Demand: demands[checked.Name], Value: strings.Join(params[checked.Name], " · "), Fault: checked.Fault}
	if len(row.Value) > maxShown {
		row.Value = strings.ToValidUTF8(row.Value[:maxShown], "") + "…"
	}
	if row.Fault != nil {
		x := h.explain(row.Fault, params, client)
		row.Rule, row.Compare = x.Rule, x.Comparison
	}
	return row
}

// explain is what the request log would explain of the request, had it been sent.
func (h *Host) explain(fault *loop.Error, params url.Values, client *loop.Client) requestlog.Explanation {
	entry := requestlog.Entry{
		Host: "identity", Route: "GET " + oauth.AuthorizePath, Error: fault.Code, Field: fault.Field, Received: requestlog.Received(params),
	}
	return requestlog.Explain(entry, client, requestlog.Addresses{Identity: h.identity.issuer})
}

// readPasted finds the parameters in what a developer pasted: a whole address, or what
// stands behind its question mark.
func (h *Host) readPasted(text string) (url.Values, *loop.Error) {
	if len(text) > web.MaxURILength {
		return nil, loop.Errorf(loop.URITooLong, "The address is longer than %d bytes. Send less in it; an authorization request can be pushed.", web.MaxURILength)
	}
	endpoint := h.identity.issuer + oauth.AuthorizePath
	address, query, found := strings.Cut(text, "?")
	if !found && strings.Contains(address, "=") {
		address, query, found = "", address, true
	}
	query, _, _ = strings.Cut(query, "#")
	switch {
	case !found:
		return nil, loop.Errorf(loop.ValidationError, "This is no authorization request: it has no parameters. Paste the whole address that your app sends the browser to.")
	case address != "" && address != endpoint:
		return nil, loop.Errorf(loop.NotFound, "Authorization requests are sent to %s, and this one is not.", endpoint)
	}
	params, err := web.Query(&http.Request{URL: &url.URL{RawQuery: query}}, parameter.Names()...)
	if err != nil {
		return nil, loop.AsError(err)
	}
	return params, nil
}
