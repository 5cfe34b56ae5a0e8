package clinical_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/biomarker"
)

// described is the host's OpenAPI.
type described struct {
	OpenAPI    string
	Servers    []struct{ URL string }
	Paths      map[string]map[string]operation
	Components struct {
		Schemas    map[string]any
		Parameters map[string]struct{ Name, In string }
		Responses  map[string]any
	}
}

type operation struct {
	OperationID string `json:"operationId"`
	Parameters  []map[string]any
	Responses   map[string]struct {
		Content map[string]struct{ Schema map[string]any }
	}
	Security []map[string][]string
}

func describe(t *testing.T, h *host) described {
	t.Helper()
	w := h.send(http.MethodGet, "/v1/openapi.json", "")
	var d described
	if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil || w.Code != http.StatusOK {
		t.Fatalf("it is answered %d: %v", w.Code, err)
	}
	if strings.Contains(w.Body.String(), `"{`) {
		t.Error("an address in it is not filled in")
	}
	return d
}

func TestOpenAPI_ListsExactlyTheRoutes(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	d := describe(t, h)
	if d.OpenAPI != "3.1.0" || len(d.Servers) != 1 || d.Servers[0].URL != "https://clinical.platform.loop.health" {
		t.Errorf("it is of version %s, for %v", d.OpenAPI, d.Servers)
	}
	var listed []string
	ids := map[string]bool{}
	for path, operations := range d.Paths {
		for method, o := range operations {
			listed = append(listed, strings.ToUpper(method)+" "+path)
			if o.OperationID == "" || ids[o.OperationID] {
				t.Errorf("%s %s has the id %q, or shares it", method, path, o.OperationID)
			}
			ids[o.OperationID] = true
		}
	}
	slices.Sort(listed)
	routes := h.site.Patterns()
	slices.Sort(routes)
	if !slices.Equal(listed, routes) {
		t.Errorf("it lists\n%s\nand the routes are\n%s", strings.Join(listed, "\n"), strings.Join(routes, "\n"))
	}
}

// What an operation needs is what its route asks for.
func TestOpenAPI_NamesTheScopeOfEachAddress(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	for path, operations := range describe(t, h).Paths {
		for method, o := range operations {
			address := strings.NewReplacer("{id}", "bmk_01KAXYZ0000000000000000000").Replace(path)
			w := h.send(strings.ToUpper(method), address, narrow)
			if len(o.Security) == 0 {
				if w.Code == http.StatusForbidden || w.Code == http.StatusUnauthorized {
					t.Errorf("%s %s asks for a token: %d", method, path, w.Code)
				}
				continue
			}
			scope := o.Security[0]["loop"]
			if len(scope) == 0 { // any token: what is called decides
				if without := h.send(strings.ToUpper(method), address, ""); w.Code == http.StatusForbidden || w.Code == http.StatusUnauthorized || without.Code != http.StatusUnauthorized {
					t.Errorf("%s %s is said to need any token, and answers %d with one, %d without", method, path, w.Code, without.Code)
				}
				continue
			}
			if w.Code != http.StatusForbidden || len(scope) != 1 || !strings.Contains(w.Header().Get("WWW-Authenticate"), scope[0]) {
				t.Errorf("%s %s is said to need %v, and answers %d %s", method, path, scope, w.Code, w.Header().Get("WWW-Authenticate"))
			}
		}
	}
}

// Every method that is not described is answered with those that are.
func TestOpenAPI_AWrongMethodNamesTheRightOnes(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	for path, operations := range describe(t, h).Paths {
		var want []string
		for method := range operations {
			if want = append(want, strings.ToUpper(method)); method == "get" {
				want = append(want, http.MethodHead)
			}
		}
		slices.Sort(want)
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			if slices.Contains(want, method) {
				continue
			}
			w := h.send(method, strings.ReplaceAll(path, "{id}", "bmk_01KAXYZ0000000000000000000"), annasToken)
			allow := strings.Split(w.Header().Get("Allow"), ", ")
			slices.Sort(allow)
			if w.Code != http.StatusMethodNotAllowed || !slices.Equal(allow, want) {
				t.Errorf("%s %s is answered %d with %v, not %v", method, path, w.Code, allow, want)
			}
		}
	}
}

func TestOpenAPI_HasTheParametersAndCategoriesThatAreRead(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	d := describe(t, h)
	var named []string
	for _, p := range d.Paths["/v1/biomarkers/me"]["get"].Parameters {
		at := strings.TrimPrefix(fmt.Sprint(p["$ref"]), "#/components/parameters/")
		named = append(named, d.Components.Parameters[at].Name)
	}
	if want := biomarker.QueryParameters(); !slices.Equal(named, want) {
		t.Errorf("the list has the parameters %v, not %v", named, want)
	}
	categories := map[any]bool{}
	for b := range h.catalogue.All() {
		categories[string(b.Category)] = true
	}
	said := d.Components.Schemas["Result"].(map[string]any)["properties"].(map[string]any)["category"].(map[string]any)["enum"].([]any)
	for _, category := range said {
		delete(categories, category)
	}
	if len(categories) > 0 {
		t.Errorf("it lacks the categories %v", slices.Collect(maps.Keys(categories)))
	}
}

// Each answer has the shape that is described: no field more, and none less.
func TestOpenAPI_DescribesWhatIsAnswered(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	d := describe(t, h)
	h.addHistory(t, anna)
	h.addTSH(t, anna, annas, annasOld)
	h.add(t, anna, biomarker.Result{ID: bens, Code: "urine-nitrite", Text: "Negative", Source: "quest", CollectedAt: now, ParsedAt: now})
	for _, asked := range []struct{ method, path, address, token, status, body string }{
		{"get", "/v1/biomarkers/me", me + "?limit=500", annasToken, "200", ""},
		{"get", "/v1/biomarkers/me", me + "?limit=3&unit_system=si", annasToken, "200", ""},
		{"get", "/v1/biomarkers/me", me + "?limit=x", annasToken, "default", ""},
		{"get", "/v1/biomarkers/me", me, narrow, "default", ""},
		{"get", "/v1/biomarkers/me/summary", me + "/summary", annasToken, "200", ""},
		{"get", "/v1/biomarkers/me/{id}", me + "/" + string(annas), annasToken, "200", ""},
		{"get", "/v1/biomarkers/catalog", "/v1/biomarkers/catalog", "", "200", ""},
		{"get", "/v1/openapi.json", "/v1/openapi.json", "", "200", ""},
		{"get", "/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource", "", "200", ""},
		{"post", "/v1/biomarkers/me", me, writers, "201", `{"biomarkers":[{"biomarker_code":"tsh","value":2.40,"unit":"mIU/L","source":"quest","collected_at":"2026-01"}]}`},
		{"post", "/v1/biomarkers/me", me, writers, "default", `{"biomarkers":[{}]}`},
		{"post", "/v1/imports", "/v1/imports?source=quest&dry_run=true", writers, "200", `{"resourceType":"Bundle","type":"collection"}`},
	} {
		name := asked.method + " " + asked.address
		w := h.answer(asked.method, asked.address, asked.token, asked.body)
		if asked.status != "default" && fmt.Sprint(w.Code) != asked.status {
			t.Errorf("%s is answered %d %s", name, w.Code, w.Body)
			continue
		}
		schema := map[string]any{"$ref": "#/components/schemas/Error"}
		if asked.status != "default" {
			schema = d.Paths[asked.path][asked.method].Responses[asked.status].Content["application/json"].Schema
		}
		var answer any
		decoder := json.NewDecoder(w.Body)
		decoder.UseNumber()
		if err := decoder.Decode(&answer); err != nil || schema == nil {
			t.Errorf("%s: %v, described by %v", name, err, schema)
			continue
		}
		if fault := d.fault(schema, answer, "the answer"); fault != "" {
			t.Errorf("%s: %s", name, fault)
		}
	}
}

// fault says where a value has not the shape that a schema describes: as far as this
// document uses schemas.
func (d *described) fault(schema map[string]any, value any, at string) string {
	if to, ok := schema["$ref"].(string); ok {
		return d.fault(d.Components.Schemas[strings.TrimPrefix(to, "#/components/schemas/")].(map[string]any), value, at)
	}
	if choices, ok := schema["anyOf"].([]any); ok {
		var faults []string
		for _, one := range choices {
			fault := d.fault(one.(map[string]any), value, at)
			if fault == "" {
				return ""
			}
			faults = append(faults, fault)
		}
		return strings.Join(faults, ", and ")
	}
	if kinds := list(schema["type"]); !slices.Contains(kinds, kindOf(value)) && (kindOf(value) != "number" || !slices.Contains(kinds, any("integer"))) {
		return fmt.Sprintf("%s is a %v, not one of %v", at, kindOf(value), kinds)
	}
	if allowed, ok := schema["enum"].([]any); ok && !slices.Contains(allowed, value) {
		return fmt.Sprintf("%s is %v, not one of %v", at, value, allowed)
	}
	switch value := value.(type) {
	case []any:
		for i := range value {
			if fault := d.fault(schema["items"].(map[string]any), value[i], fmt.Sprintf("%s[%d]", at, i)); fault != "" {
				return fault
			}
		}
	case map[string]any:
		return d.faultOfObject(schema, value, at)
	}
	return ""
}

func (d *described) faultOfObject(schema, value map[string]any, at string) string {
	properties, _ := schema["properties"].(map[string]any)
	for _, name := range list(schema["required"]) {
		if _, there := value[fmt.Sprint(name)]; !there {
			return fmt.Sprintf("%s lacks %s", at, name)
		}
	}
	for name, part := range value {
		property, known := properties[name].(map[string]any)
		if !known && schema["additionalProperties"] == false {
			return fmt.Sprintf("%s has %s, which is not described", at, name)
		}
		if known {
			if fault := d.fault(property, part, at+"."+name); fault != "" {
				return fault
			}
		}
	}
	return ""
}

func list(value any) []any {
	if many, ok := value.([]any); ok {
		return many
	}
	if value == nil {
		return nil
	}
	return []any{value}
}

func kindOf(value any) any {
	switch value.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case json.Number:
		return "number"
	case bool:
		return "boolean"
	case []any:
		return "array"
	default:
		return "object"
	}
}
