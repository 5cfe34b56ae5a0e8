package clinical

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"strconv"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mcp"
	"github.com/loop-health/loop/internal/web"
)

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
func (h *Host) reading(always url.Values) func(context.Context, mcp.Call[caller]) (mcp.Answer, error) {
	return func(ctx context.Context, call mcp.Call[caller]) (mcp.Answer, error) {
		var f filters
		if err := readArguments(call.Arguments, &f); err != nil {
			return mcp.Answer{}, err
		}
		values := f.values()
		for name, value := range always {
			values[name] = value
		}
		return h.readResults(ctx, call, values)
	}
}

// history is the tool that needs one code.
func (h *Host) history(ctx context.Context, call mcp.Call[caller]) (mcp.Answer, error) {
	var f filters
	if err := readArguments(call.Arguments, &f); err != nil {
		return mcp.Answer{}, err
	}
	if f.Code == "" {
		return mcp.Answer{}, loop.Errorf(loop.ValidationError, "The argument code is missing: which biomarker? search_biomarkers finds its code.")
	}
	return h.readResults(ctx, call, f.values())
}

// readResults reads a page as the API does, and records the read with the tool's name.
func (h *Host) readResults(ctx context.Context, call mcp.Call[caller], values url.Values) (mcp.Answer, error) {
	c := call.Caller
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
	detail["tool"] = call.Tool
	if err := h.recordDetail(c.request, c.token, detail); err != nil {
		return mcp.Answer{}, err
	}
	return mcp.Answer{Structured: encodePage(c.token.Member, page, query.System), Text: inWords(page, query.System)}, nil
}
