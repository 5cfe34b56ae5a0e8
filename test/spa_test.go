package test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// A page alone, from an origin of its own: tokens that are bound to a key, from the
// token endpoint and for the API, across origins.
func TestTheSinglePageExampleReadsLabResults(t *testing.T) {
	needChromium(t)
	modules := needFolder(t, "LOOP_TEST_SPA_MODULES", "node", "oauth4webapi, by npm")
	p := startPlatform(t)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	origin := "http://" + listener.Addr().String()
	out, complaint, status := p.loop(t, "client", "create", "--type", "public", "--name", "Results in the browser", "--redirect-uri", origin+"/",
		"--allowed-origin", origin, "--scope", "openid read:biomarkers", "--json")
	if status != 0 {
		t.Fatalf("registering the app: %s", complaint)
	}
	var made struct {
		ID string `json:"client_id"`
	}
	if err := json.Unmarshal([]byte(out), &made); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for _, name := range []string{"index.html", "app.js"} {
		copyOf(t, filepath.Join("..", "examples", "spa", name), folder)
	}
	config := fmt.Sprintf("export const issuer = %q;\nexport const clinical = %q;\nexport const clientId = %q;\nexport const redirectUri = %q;\n",
		p.env["LOOP_IDENTITY_URL"], p.env["LOOP_CLINICAL_URL"], made.ID, origin+"/")
	if err := os.WriteFile(filepath.Join(folder, "config.js"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(modules, filepath.Join(folder, "node_modules")); err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.FileServer(http.Dir(folder)), ReadHeaderTimeout: 5 * time.Second}}
	server.Start()
	t.Cleanup(server.Close)

	b := p.browser(t)
	b.open(t, origin+"/")
	b.press(t, "connect")
	b.signIn(t, "LOOP_MEMBER")
	b.press(t, "allow")
	b.do(t, chromedp.WaitVisible(chromedp.CSS("#said:not(:empty)")))
	if said := b.eval(t, "document.querySelector('#said').textContent"); !strings.HasPrefix(said, "Connected to Loop!") {
		t.Errorf("the page says %q", said)
	}
	if rows := b.eval(t, "String(document.querySelectorAll('#results tbody tr').length)"); len(rows) < 2 {
		t.Errorf("the page shows %s results", rows)
	}
	p.verifyAudit(t)
}
