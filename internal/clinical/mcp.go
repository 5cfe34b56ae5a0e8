package clinical

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/loop-health/loop/internal/limit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mcp"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/web"
)

// MCPPath is where assistants call tools, by the Model Context Protocol. It is a
// resource of its own: a token that is meant for the API alone doesn't open it.
const MCPPath = "/mcp"

// caller is who calls a tool.
type caller struct {
	request *http.Request
	token   oauth.AccessToken
}

// mountMCP adds the endpoint, and its description as a protected resource (RFC 9728
// §3.1: the well-known path stands before the resource's own).
func (h *Host) mountMCP(site *web.Site, resource web.Resource) {
	described := h.Metadata
	described.Resource += MCPPath
	described.Name = "Connect with Loop: lab results for assistants"
	described.ScopesSupported = []string{string(loop.ScopeReadBiomarkers)}
	site.PublicAPI("GET "+metadataPath+MCPPath, func(w http.ResponseWriter, _ *http.Request) error {
		return web.WriteJSON(w, http.StatusOK, described)
	})
	resource.AddsScopes = true
	resource.Path, resource.Metadata = MCPPath, site.PublicURL.String()+metadataPath+MCPPath
	serve := resource.Require(web.Access{Scope: loop.ScopeReadBiomarkers, Class: limit.Read}, h.serveMCP)
	site.BrowserAPI("POST "+MCPPath, func(w http.ResponseWriter, r *http.Request) error {
		if err := site.RefuseOrigin(r); err != nil {
			return err
		}
		return serve(w, r)
	})
}

// serveMCP answers POST /mcp.
func (h *Host) serveMCP(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
	return h.mcp.Serve(w, r, caller{r, token})
}

const mcpInstructions = `These tools read the lab results of one person, who allowed it. Each result has its value with the laboratory's digits, its unit, the interval that it is held against and a status. Repeat values with their unit, date and interval. A status outside of an interval is no diagnosis: suggest to ask a doctor, and give no medical advice. Every call is recorded, and the person sees it.`

// catalogTTL is how long a client may keep the catalogue: it changes with a release.
const catalogTTL = time.Hour

func (h *Host) newMCP() *mcp.Server[caller] {
	return &mcp.Server[caller]{
		Name: "loop", Title: "Loop lab results", Version: "1", Instructions: mcpInstructions,
		Tools: []mcp.Tool[caller]{
			{
				Name: "list_lab_results", Title: "List lab results", ReadOnly: true,
				Description: "Lists the person's lab results, newest first, by pages. Filter by biomarker codes, category, status or time of collection. Pass next_cursor as cursor for the next page.",
				Input:       listInput, Output: listOutput, Call: h.reading("list_lab_results", nil),
			},
			{
				Name: "latest_lab_results", Title: "Latest lab results", ReadOnly: true,
				Description: "Gives the newest result of each biomarker: what to look at first.",
				Input:       latestInput, Output: listOutput, Call: h.reading("latest_lab_results", url.Values{"latest": {"true"}}),
			},
			{
				Name: "lab_result_history", Title: "History of one biomarker", ReadOnly: true,
				Description: "Gives all results of one biomarker over time, newest first, with their interval and unit. Find its code by search_biomarkers.",
				Input:       historyInput, Output: listOutput, Call: h.history,
			},
			{
				Name: "search_biomarkers", Title: "Search the catalogue", ReadOnly: true,
				Description: "Finds biomarkers by a part of their name or code, with units and usual intervals. It holds nothing about the person.",
				Input:       searchInput, Output: searchOutput, Call: h.searchBiomarkers,
			},
		},
		Documents: []mcp.Document{{
			URI: "loop://biomarkers/catalog", Name: "catalog", Title: "Catalogue of biomarkers", MIMEType: formatJSON,
			Description: "Every biomarker with its units, codes and usual intervals.", Text: string(h.catalog.body), TTL: catalogTTL,
		}},
	}
}

// filters are the arguments of the tools that read results.
type filters struct {
	Codes      []string `json:"codes"`
	Code       string   `json:"code"`
	Category   string   `json:"category"`
	Statuses   []string `json:"statuses"`
	From       string   `json:"from"`
	To         string   `json:"to"`
	UnitSystem string   `json:"unit_system"`
	Limit      int      `json:"limit"`
	Cursor     string   `json:"cursor"`
}

// values are the filters as the API's parameters.
func (f filters) values() url.Values {
	values := url.Values{}
	for _, code := range append(f.Codes, f.Code) {
		if code != "" {
			values.Add("code", code)
		}
	}
	if len(f.Statuses) > 0 {
		values["status"] = f.Statuses
	}
	for name, value := range map[string]string{"category": f.Category, "from": f.From, "to": f.To, "unit_system": f.UnitSystem, "cursor": f.Cursor} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if f.Limit != 0 {
		values.Set("limit", strconv.Itoa(f.Limit))
	}
	return values
}

// readArguments reads a tool's arguments into v; ValidationError where there is one
// that it doesn't know.
func readArguments(arguments json.RawMessage, v any) error {
	if len(arguments) == 0 || string(arguments) == "null" {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(arguments))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		return loop.Errorf(loop.ValidationError, "The arguments don't fit the tool's input schema. Look at it, and send only what it has.").Because(err)
	}
	return nil
}

// reading is a tool that reads results, by the filters of its arguments and those that
// are always there.
func (h *Host) reading(tool string, always url.Values) func(context.Context, caller, json.RawMessage) (mcp.Answer, error) {
	return func(ctx context.Context, c caller, arguments json.RawMessage) (mcp.Answer, error) {
		var f filters
		if err := readArguments(arguments, &f); err != nil {
			return mcp.Answer{}, err
		}
		values := f.values()
		for name, value := range always {
			values[name] = value
		}
		return h.readResults(ctx, tool, c, values)
	}
}

// history is the tool that needs one code.
func (h *Host) history(ctx context.Context, c caller, arguments json.RawMessage) (mcp.Answer, error) {
	var f filters
	if err := readArguments(arguments, &f); err != nil {
		return mcp.Answer{}, err
	}
	if f.Code == "" {
		return mcp.Answer{}, loop.Errorf(loop.ValidationError, "The argument code is missing: which biomarker? search_biomarkers finds its code.")
	}
	return h.readResults(ctx, "lab_result_history", c, f.values())
}

// readResults reads a page as the API does, and records the read with the tool's name.
func (h *Host) readResults(ctx context.Context, tool string, c caller, values url.Values) (mcp.Answer, error) {
	query, err := h.Biomarkers.Catalogue.ParseQuery(values)
	if err != nil {
		return mcp.Answer{}, err
	}
	person, err := h.person(ctx, c.token.Member)
	if err != nil {
		return mcp.Answer{}, err
	}
	page, err := h.Biomarkers.Read(ctx, c.token.Member, person, query)
	if err != nil {
		return mcp.Answer{}, refusedOr(web.Unavailable, err)
	}
	detail := readDetail(len(page.Results), query.Filters())
	detail["tool"] = tool
	if err := h.recordDetail(c.request, c.token, detail); err != nil {
		return mcp.Answer{}, err
	}
	return mcp.Answer{Structured: encodePage(c.token.Member, page, query.System), Text: inWords(page, query.System)}, nil
}
