package clinical_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/audit"
)

// call sends a message of Anna's to /mcp, by the modern revision unless headers say otherwise.
func (h *host) call(t *testing.T, method string, params map[string]any, headers ...string) (int, map[string]any) {
	t.Helper()
	if params == nil {
		params = map[string]any{}
	}
	params["_meta"] = map[string]any{"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": map[string]any{}}
	name, _ := params["name"].(string)
	uri, _ := params["uri"].(string)
	sent := append([]string{"Mcp-Protocol-Version", "2026-07-28", "Mcp-Method", method, "Mcp-Name", name + uri}, headers...)
	return h.message(t, map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params}, sent...)
}

// callWith lists the tools by the modern revision, with this in _meta.
func (h *host) callWith(t *testing.T, meta map[string]any) (int, map[string]any) {
	t.Helper()
	return h.message(t, map[string]any{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": map[string]any{"_meta": meta}}, "Mcp-Protocol-Version", "2026-07-28", "Mcp-Method", "tools/list")
}

// message sends a message of Anna's as it is; a header without a value is taken out.
func (h *host) message(t *testing.T, message any, headers ...string) (int, map[string]any) {
	t.Helper()
	body, err := json.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	return answerOf(t, h.mcp(annasToken, string(body), headers...))
}

func answerOf(t *testing.T, w *httptest.ResponseRecorder) (int, map[string]any) {
	t.Helper()
	var answer map[string]any
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%d %s: %v", w.Code, w.Body, err)
		}
	}
	return w.Code, answer
}

func (h *host) mcp(token, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "https://clinical.platform.loop.health/mcp", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func result(t *testing.T, answer map[string]any) map[string]any {
	t.Helper()
	r, ok := answer["result"].(map[string]any)
	if !ok {
		t.Fatalf("there is no result: %v", answer)
	}
	return r
}

func faultCode(answer map[string]any) float64 {
	fault, _ := answer["error"].(map[string]any)
	code, _ := fault["code"].(float64)
	return code
}

func TestMCP_ToolsGiveWhatTheAPIGivesAndAreRecorded(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.addHistory(t, anna)
	h.addHistory(t, ben)
	for tool, c := range map[string]struct {
		arguments map[string]any
		query     string
	}{
		"list_lab_results":   {map[string]any{"limit": 7, "unit_system": "si", "statuses": []string{"low", "high"}}, "?limit=7&unit_system=si&status=low&status=high"},
		"latest_lab_results": {map[string]any{"category": "lipids"}, "?latest=true&category=lipids"},
		"lab_result_history": {map[string]any{"code": "hba1c"}, "?code=hba1c"},
	} {
		t.Run(tool, func(t *testing.T) {
			api := h.send(http.MethodGet, me+c.query, annasToken)
			if api.Code != http.StatusOK {
				t.Fatalf("the API answers %d %s", api.Code, api.Body)
			}
			_, answer := h.call(t, "tools/call", map[string]any{"name": tool, "arguments": c.arguments})
			got := result(t, answer)
			var want any
			if err := json.Unmarshal(api.Body.Bytes(), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got["structuredContent"]); diff != "" {
				t.Errorf("the tool gives something else than the API:\n%s", diff)
			}
			if got["resultType"] != "complete" || got["isError"] != false {
				t.Errorf("the result is %v, an error: %v", got["resultType"], got["isError"])
			}
			rows := h.recorded(t, audit.BiomarkersRead)
			rec, err := rows[len(rows)-1].Record()
			if err != nil || rec.Member != anna || rec.Client != "client_A" || rec.Detail["tool"] != tool {
				t.Errorf("it is recorded as %+v: %v", rec, err)
			}
		})
	}
}

func TestMCP_DigitsAreThoseOfTheLaboratory(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.addHistory(t, anna)
	api := h.send(http.MethodGet, me+"?limit=50", annasToken).Body.String()
	w := h.mcp(annasToken, `{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"list_lab_results","arguments":{"limit":50}}}`)
	if !strings.Contains(w.Body.String(), strings.TrimSpace(api)) {
		t.Errorf("the API's bytes are not in the answer: %s", w.Body)
	}
}

func TestMCP_WordsHaveUnitIntervalDateAndStatus(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.addHistory(t, anna)
	_, answer := h.call(t, "tools/call", map[string]any{"name": "lab_result_history", "arguments": map[string]any{"code": "hba1c", "limit": 1}})
	content, _ := result(t, answer)["content"].([]any)
	words, _ := content[0].(map[string]any)["text"].(string)
	for _, want := range []string{"hba1c", "%", "interval ", "collected 2", "not medical advice", "call again with cursor"} {
		if !strings.Contains(words, want) {
			t.Errorf("%q is not in %q", want, words)
		}
	}
}

func TestMCP_WhatAModelGetsWrongIsAResultThatItCanMend(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	for name, params := range map[string]map[string]any{
		"an unknown code":     {"name": "lab_result_history", "arguments": map[string]any{"code": "unobtainium"}},
		"no code":             {"name": "lab_result_history"},
		"an unknown argument": {"name": "list_lab_results", "arguments": map[string]any{"colour": "red"}},
		"a limit too high":    {"name": "list_lab_results", "arguments": map[string]any{"limit": 501}},
		"a made-up cursor":    {"name": "list_lab_results", "arguments": map[string]any{"cursor": "x"}},
		"no query":            {"name": "search_biomarkers", "arguments": map[string]any{"query": " "}},
	} {
		status, answer := h.call(t, "tools/call", params)
		if got := result(t, answer); status != http.StatusOK || got["isError"] != true || got["structuredContent"] != nil {
			t.Errorf("%s: %d %v", name, status, answer)
		}
	}
	if rows := h.recorded(t, audit.BiomarkersRead); len(rows) != 0 {
		t.Errorf("%d reads are recorded of calls that read nothing", len(rows))
	}
}

func TestMCP_TheCatalogueIsSearchedAndRead(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	_, answer := h.call(t, "tools/call", map[string]any{"name": "search_biomarkers", "arguments": map[string]any{"query": "Glucose fasting"}})
	found, _ := result(t, answer)["structuredContent"].(map[string]any)
	list, _ := found["biomarkers"].([]any)
	if len(list) == 0 || !slices.ContainsFunc(list, func(b any) bool { return strings.Contains(b.(map[string]any)["name"].(string), "lucose") }) {
		t.Errorf("it finds %v", found)
	}
	_, answer = h.call(t, "resources/read", map[string]any{"uri": "loop://biomarkers/catalog"})
	contents, _ := result(t, answer)["contents"].([]any)
	if text, _ := contents[0].(map[string]any)["text"].(string); text != h.send(http.MethodGet, "/v1/biomarkers/catalog", "").Body.String() {
		t.Error("the resource is not the catalogue")
	}
	if got := result(t, answer); got["ttlMs"] == nil || got["cacheScope"] != "private" {
		t.Errorf("it may be kept for %v, %v", got["ttlMs"], got["cacheScope"])
	}
	if rows := h.recorded(t, audit.BiomarkersRead); len(rows) != 0 {
		t.Errorf("%d reads of a member's data are recorded", len(rows))
	}
}

func TestMCP_BothErasAreAnsweredInTheirOwnWay(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	status, answer := h.call(t, "server/discover", nil)
	if got := result(t, answer); status != http.StatusOK || got["resultType"] != "complete" || !slices.Contains(got["supportedVersions"].([]any), any("2026-07-28")) {
		t.Errorf("discover: %d %v", status, answer)
	}
	for asked, want := range map[string]string{"2025-11-25": "2025-11-25", "2025-06-18": "2025-06-18", "2024-11-05": "2025-11-25"} {
		_, answer := h.message(t, map[string]any{"jsonrpc": "2.0", "id": "a", "method": "initialize", "params": map[string]any{"protocolVersion": asked, "capabilities": map[string]any{}, "clientInfo": map[string]any{"name": "test", "version": "1"}}})
		if got := result(t, answer); got["protocolVersion"] != want || got["serverInfo"] == nil {
			t.Errorf("initialize by %s: %v", asked, got)
		}
	}
	ping := map[string]any{"jsonrpc": "2.0", "id": 3, "method": "ping"}
	if status, answer := h.message(t, ping, "Mcp-Protocol-Version", "2025-11-25", "Mcp-Method", "ping"); status != http.StatusOK || answer["result"] == nil {
		t.Errorf("an older client that names its method: %d %v", status, answer)
	}
	if status, answer := h.message(t, ping, "Mcp-Protocol-Version", "2025-11-25", "Mcp-Method", "tools/list"); status != http.StatusBadRequest || faultCode(answer) != -32020 {
		t.Errorf("an older client that names another method: %d %v", status, answer)
	}
	if status, answer := h.message(t, map[string]any{"jsonrpc": "2.0", "method": "notifications/initialized"}); status != http.StatusAccepted || answer != nil {
		t.Errorf("a notification: %d %v", status, answer)
	}
	_, answer = h.message(t, map[string]any{"jsonrpc": "2.0", "id": 2, "method": "tools/list"}, "Mcp-Protocol-Version", "2025-11-25")
	got := result(t, answer)
	tools, _ := got["tools"].([]any)
	if len(tools) != 4 || got["resultType"] != nil || got["ttlMs"] != nil {
		t.Errorf("an older client lists %v", got)
	}
	if status, answer := h.message(t, map[string]any{"jsonrpc": "2.0", "id": 3, "method": "sampling/x"}); status != http.StatusOK || faultCode(answer) != -32601 {
		t.Errorf("an unknown method of an older client: %d %v", status, answer)
	}
}

func TestMCP_AFaultOfTheProtocolHasItsCodeAndStatus(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	list := map[string]any{"name": "list_lab_results"}
	for name, c := range map[string]struct {
		send   func() (int, map[string]any)
		status int
		code   float64
	}{
		"an unknown method": {func() (int, map[string]any) { return h.call(t, "prompts/list", nil) }, 404, -32601},
		"an unknown tool":   {func() (int, map[string]any) { return h.call(t, "tools/call", map[string]any{"name": "x"}) }, 200, -32602},
		"an unknown resource": {func() (int, map[string]any) {
			return h.call(t, "resources/read", map[string]any{"uri": "x"})
		}, 200, -32602},
		"another method's name": {func() (int, map[string]any) {
			return h.call(t, "tools/call", list, "Mcp-Method", "tools/list")
		}, 400, -32020},
		"no method header": {func() (int, map[string]any) { return h.call(t, "tools/call", list, "Mcp-Method", "") }, 400, -32020},
		"another name":     {func() (int, map[string]any) { return h.call(t, "tools/call", list, "Mcp-Name", "x") }, 400, -32020},
		"no name":          {func() (int, map[string]any) { return h.call(t, "tools/call", list, "Mcp-Name", "") }, 400, -32020},
		"another version": {func() (int, map[string]any) {
			return h.call(t, "tools/list", nil, "Mcp-Protocol-Version", "2025-11-25")
		}, 400, -32020},
		"an unknown version": {func() (int, map[string]any) {
			return h.message(t, map[string]any{"jsonrpc": "2.0", "id": 1, "method": "ping"}, "Mcp-Protocol-Version", "2031-01-01")
		}, 400, -32022},
		"a method of older revisions": {func() (int, map[string]any) { return h.call(t, "ping", nil) }, 404, -32601},
		"no word on the client's capabilities": {func() (int, map[string]any) {
			return h.callWith(t, map[string]any{"io.modelcontextprotocol/protocolVersion": "2026-07-28"})
		}, 400, -32602},
		"capabilities that are a list": {func() (int, map[string]any) {
			return h.callWith(t, map[string]any{"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": []int{}})
		}, 400, -32602},
		"no JSON": {func() (int, map[string]any) { return h.message(t, json.RawMessage(`"x"`)) }, 400, -32700},
		"a batch": {func() (int, map[string]any) { return h.message(t, []any{}) }, 400, -32600},
		"another JSON-RPC": {func() (int, map[string]any) {
			return h.message(t, map[string]any{"id": 1, "method": "ping"})
		}, 400, -32600},
		"an id that is an array": {func() (int, map[string]any) {
			return h.message(t, map[string]any{"jsonrpc": "2.0", "id": []int{1}, "method": "ping"})
		}, 400, -32600},
		"params that are a list": {func() (int, map[string]any) {
			return h.message(t, map[string]any{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []int{1}})
		}, 400, -32602},
	} {
		if status, answer := c.send(); status != c.status || faultCode(answer) != c.code {
			t.Errorf("%s: %d %v", name, status, answer)
		}
	}
	if status, answer := h.call(t, "tools/call", map[string]any{"name": "search_biomarkers", "arguments": map[string]any{"query": "tsh"}}, "Mcp-Name", "=?base64?c2VhcmNoX2Jpb21hcmtlcnM=?="); status != http.StatusOK || answer["result"] == nil {
		t.Errorf("an encoded name: %d %v", status, answer)
	}
}

func TestSec390_MCP_NeedsATokenWithItsScopeAndNoForeignPage(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	const list = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_lab_results"}}`
	for name, c := range map[string]struct {
		token     string
		headers   []string
		status    int
		challenge string
	}{
		"no token":          {"", nil, 401, `scope="read:biomarkers", resource_metadata="https://clinical.platform.loop.health/.well-known/oauth-protected-resource/mcp"`},
		"a bad token":       {"lph_at_x", nil, 401, `error="invalid_token"`},
		"a lesser token":    {narrow, nil, 403, `error="insufficient_scope", scope="openid read:biomarkers"`},
		"a stranger's page": {annasToken, []string{"Origin", "https://evil.example"}, 403, ""},
	} {
		w := h.mcp(c.token, list, c.headers...)
		if w.Code != c.status || !strings.Contains(strings.Join(w.Header().Values("WWW-Authenticate"), " "), c.challenge) {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
	}
	const own = "https://clinical.platform.loop.health"
	for origin, want := range map[string]int{own: 200, own + ".evil.example": 403, own + ":8443": 403, strings.Replace(own, "https", "http", 1): 403, "null": 403} {
		if w := h.mcp(annasToken, list, "Origin", origin); w.Code != want {
			t.Errorf("from %s: %d", origin, w.Code)
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		if w := h.send(method, "/mcp", annasToken); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" {
			t.Errorf("%s is answered with %d", method, w.Code)
		}
	}
	var described struct {
		Resource string   `json:"resource"`
		Scopes   []string `json:"scopes_supported"`
	}
	if err := json.Unmarshal(h.send(http.MethodGet, "/.well-known/oauth-protected-resource/mcp", "").Body.Bytes(), &described); err != nil || !slices.Equal(described.Scopes, []string{"read:biomarkers"}) {
		t.Errorf("it describes itself as %+v: %v", described, err)
	}
}

func TestSec391_MCP_NothingIsReadWithoutItsRecord(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.addHistory(t, anna)
	h.records.fail = http.ErrServerClosed
	w := h.mcp(annasToken, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_lab_results"}}`)
	if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "biomarker_code") {
		t.Errorf("without a record it answers %d %s", w.Code, w.Body)
	}
}
