package inquiry_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

// Clinical knows which app read what, and identity what the app is called.
func TestAssistants_AreGivenTheNamesOfAppsByIdentity(t *testing.T) {
	t.Parallel()
	d := divide(t)
	if read := d.clinical.Biomarkers(t, d.tokens.Access); read.StatusCode != http.StatusOK {
		t.Fatalf("reading lab results: %d %s", read.StatusCode, read.Text)
	}
	request := d.app.Request()
	request.Set("scope", "openid manage:connected_apps")
	code := d.identity.NewBrowser(t).Allow(request, d.member).Query().Get("code")
	_, clinical, _ := d.clinical.Hosts()
	r := httptest.NewRequest(http.MethodPost, platformtest.Clinical+"/mcp", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"who_read_my_data"}}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+d.app.Redeem(code).Pair(t).Access)
	w := httptest.NewRecorder()
	clinical.ServeHTTP(w, r)
	want := `"results":1,"client_id":"` + string(d.app.ID) + `","client_name":"` + d.app.Name + `"`
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
