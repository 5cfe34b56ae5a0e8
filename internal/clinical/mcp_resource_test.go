package clinical_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

func TestSec392_MCP_ATokenIsForTheAPIOrForAssistants(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	const api, tools = platformtest.Clinical, platformtest.Clinical + "/mcp"
	for name, c := range map[string]struct {
		resources []string
		api       int
		tools     int
	}{
		"for none by name":    {nil, 200, 200},
		"for the API":         {[]string{api}, 200, 401},
		"for assistants":      {[]string{tools}, 401, 200},
		"for both":            {[]string{api, tools}, 200, 200},
		"in another spelling": {[]string{strings.Replace(tools, "https://clinical", "HTTPS://CLINICAL", 1)}, 401, 200},
	} {
		t.Run(name, func(t *testing.T) {
			request := app.Request()
			request["resource"] = c.resources
			code := p.NewBrowser(t).Allow(request, ada).Query().Get("code")
			if code == "" {
				t.Fatal("no code came")
			}
			token, _ := app.Redeem(code).JSON(t)["access_token"].(string)
			if r := p.Biomarkers(t, token); r.StatusCode != c.api {
				t.Errorf("the API: %d %s", r.StatusCode, r.Text)
			}
			if got := callTools(t, p, token); got != c.tools {
				t.Errorf("the tools: %d", got)
			}
		})
	}
}

// callTools lists the tools with a token, and gives the status.
func callTools(t *testing.T, p *platformtest.Platform, token string) int {
	t.Helper()
	_, clinical, _ := p.Hosts()
	address, err := url.Parse(platformtest.Clinical + "/mcp")
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, address.String(), strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	clinical.ServeHTTP(w, r)
	return w.Code
}
