package identity_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform"
	"github.com/loop-health/loop/internal/platform/platformtest"
	"github.com/loop-health/loop/internal/registration"
)

// newOpenToDocuments is a platform that fetches metadata documents from this machine.
func newOpenToDocuments(t *testing.T, alter ...func(*platform.Config)) *platformtest.Platform {
	t.Helper()
	return platformtest.NewWith(t, func(c *platform.Config) {
		c.FetchHosts = []string{"127.0.0.1"}
		for _, change := range alter {
			change(c)
		}
	})
}

// clientRows are the clients of the store that nobody registered.
func clientRows(t *testing.T, p *platformtest.Platform) []*loop.Client {
	t.Helper()
	clients, err := p.Clients.Store.Clients(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var others []*loop.Client
	for _, c := range clients {
		if c.Unregistered() {
			others = append(others, c)
		}
	}
	return others
}

func onAPage(t *testing.T, r *platformtest.Response, says string) {
	t.Helper()
	if r.StatusCode != http.StatusBadRequest || r.Header.Get("Location") != "" || !strings.Contains(r.Text, says) {
		_, note, _ := strings.Cut(r.Text, "For the app’s developer.")
		note, _, _ = strings.Cut(note, "</p>")
		t.Errorf("status %d, location %q, want a page with %q, not %q", r.StatusCode, r.Header.Get("Location"), says, note)
	}
}

func TestClientDocument_AnAppThatNobodyRegisteredIsConnectedAndDisconnected(t *testing.T) {
	t.Parallel()
	p := newOpenToDocuments(t)
	app, ada, b := p.AddDocumentApp(t), p.AddMember(t, "Ada"), p.NewBrowser(t)
	page := b.SignIn(b.Follow(b.Authorize(app.Request())), ada)
	if !strings.Contains(page.Text, "Night Assistant") {
		t.Fatalf("no consent page: %s", page.Text)
	}
	if rows := clientRows(t, p); len(rows) != 0 {
		t.Fatalf("before anybody has allowed it, there are rows: %+v", rows[0])
	}
	code := b.Decide(page, "allow", "profile", "read:biomarkers").Redirected(t).Query().Get("code")
	rows := clientRows(t, p)
	if len(rows) != 1 || rows[0].ID != app.ID || rows[0].Registration.By != loop.RegisteredByDocument || rows[0].Mode != loop.Development {
		t.Fatalf("after the grant the rows are %+v", rows)
	}
	tokens := app.Redeem(code).Pair(t)
	if r := p.Biomarkers(t, tokens.Access); r.StatusCode != http.StatusOK {
		t.Fatalf("a read: %d %s", r.StatusCode, r.Text)
	}
	if listed, err := p.RunWith(t, "", "client", "list"); err != nil || !strings.Contains(listed, string(app.ID)) {
		t.Errorf("loop client list does not show %s, %v:\n%s", app.ID, err, listed)
	}

	t.Run("its tokens survive a restart, with the document gone", func(t *testing.T) {
		app.Answer(http.NotFound)
		p.Restart(t)
		tokens = app.Refresh(tokens.Refresh).Pair(t)
		if r := p.Biomarkers(t, tokens.Access); r.StatusCode != http.StatusOK {
			t.Errorf("a read: %d %s", r.StatusCode, r.Text)
		}
		if to := b.Follow(b.Authorize(app.Request())).Redirected(t); to.Query().Get("code") == "" {
			t.Errorf("within a day the row stands in for the document: %s", to)
		}
	})
	t.Run("after a day without the document nobody is asked on its behalf, and what it has goes on", func(t *testing.T) {
		p.World.Advance(25 * time.Hour)
		onAPage(t, b.Authorize(app.Request()), "could not be read for a day")
		tokens = app.Refresh(tokens.Refresh).Pair(t)
		app.Answer(nil)
		p.World.Advance(2 * time.Minute)
		if r := b.Authorize(app.Request()); r.StatusCode != http.StatusSeeOther {
			t.Errorf("once it is back: %d %s", r.StatusCode, r.Text)
		}
	})
	t.Run("disconnected, its tokens are dead", func(t *testing.T) {
		grant, err := p.OAuth.Ledger.LiveGrant(t.Context(), ada.ID, app.ID)
		if err != nil || grant == nil {
			t.Fatalf("the grant is %+v, %v", grant, err)
		}
		if err := p.Run(t, "grant", "revoke", string(grant.ID)); err != nil {
			t.Fatal(err)
		}
		refused(t, app.Refresh(tokens.Refresh), http.StatusBadRequest, "invalid_grant")
		if r := p.Biomarkers(t, tokens.Access); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("a read: %d", r.StatusCode)
		}
	})
}

func TestSec440_ADocumentThatMakesNoClientLeadsNowhere(t *testing.T) {
	t.Parallel()
	p := newOpenToDocuments(t)
	for name, c := range map[string]struct {
		changes map[string]any
		answer  http.HandlerFunc
		says    string
	}{
		"another client_id":             {map[string]any{"client_id": "https://evil.example/client.json"}, nil, "own address, character by character"},
		"no client_id":                  {map[string]any{"client_id": nil}, nil, "own address, character by character"},
		"a client_id that is no text":   {map[string]any{"client_id": 7}, nil, "client_id"},
		"no name":                       {map[string]any{"client_name": nil}, nil, "Give the app a name"},
		"a name that is Loop's":         {map[string]any{"client_name": "Loop Assistant"}, nil, "reserved"},
		"a name that says it is vetted": {map[string]any{"client_name": "Official Assistant"}, nil, "badge"},
		"no redirect URI":               {map[string]any{"redirect_uris": []string{}}, nil, "redirect_uris"},
		"a redirect URI that is script": {map[string]any{"redirect_uris": []string{"javascript:alert(1)//"}}, nil, "this scheme is not allowed"},
		"http beyond this machine":      {map[string]any{"redirect_uris": []string{"http://app.example.com/cb"}}, nil, "Use https"},
		"a secret":                      {map[string]any{"token_endpoint_auth_method": "client_secret_basic"}, nil, "none or private_key_jwt"},
		"a key without keys":            {map[string]any{"token_endpoint_auth_method": "private_key_jwt"}, nil, "jwks"},
		"keys at an inner address":      {map[string]any{"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://169.254.169.254/keys"}, nil, "jwks_uri"},
		"a logo at an inner address":    {map[string]any{"logo_uri": "https://10.0.0.1/logo.png"}, nil, "logo_uri"},
		"only a grant of services":      {map[string]any{"grant_types": []string{"client_credentials"}}, nil, "grant types"},
		"a token as response":           {map[string]any{"response_types": []string{"token"}}, nil, "response type is code"},
		"HTML":                          {nil, says("text/html", "<html>"), "Content-Type"},
		"no JSON":                       {nil, says("application/json", "{"), "not a JSON object"},
		"a list":                        {nil, says("application/json", "[]"), "not a JSON object"},
		"null":                          {nil, says("application/json", "null"), "not a JSON object"},
		"a member twice":                {nil, says("application/json", `{"client_name":"A","client_name":"B"}`), "twice"},
		"64 KiB and a byte":             {nil, says("application/json", `"`+strings.Repeat("a", 64<<10)+`"`), "longer than 64 KiB"},
		"a redirect":                    {nil, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/other", http.StatusFound) }, "no redirect is followed"},
		"not found":                     {nil, http.NotFound, "404"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := p.AddDocumentApp(t)
			app.Describe(c.changes)
			app.Answer(c.answer)
			onAPage(t, p.NewBrowser(t).Authorize(app.Request()), c.says)
			refused(t, p.Post(t, platformtest.Identity+"/v1/oauth/token", url.Values{"grant_type": {"authorization_code"}, "client_id": {string(app.ID)}}, nil), http.StatusUnauthorized, "invalid_client")
			if app.Fetched() != 1 {
				t.Errorf("within a minute it was asked for %d times", app.Fetched())
			}
			if rows := clientRows(t, p); len(rows) != 0 {
				t.Errorf("there are rows: %+v", rows[0])
			}
		})
	}
	t.Run("a redirect URI that is not among its own", func(t *testing.T) {
		t.Parallel()
		app := p.AddDocumentApp(t)
		onAPage(t, p.NewBrowser(t).Authorize(with(app.Request(), "redirect_uri", "https://evil.example/cb")), "not registered")
	})
}

func says(kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write([]byte(body))
	}
}

// TestSec441: what internal/fetch refuses, and how, is that room's test; here it is shown that
// no document's address goes past it.
func TestSec441_NoDocumentIsFetchedFromAnInnerAddress(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	for _, id := range []string{
		"https://127.0.0.1/c", "https://10.0.0.1/c", "https://172.16.0.1/c", "https://192.168.0.1/c", "https://169.254.169.254/latest/meta-data", "https://100.64.0.1/c",
		"https://0.0.0.0/c", "https://[::1]/c", "https://[::]/c", "https://[fc00::1]/c", "https://[fe80::1]/c", "https://[::ffff:10.0.0.1]/c", "https://[64:ff9b::a00:1]/c",
		"http://127.0.0.1:8000/c", "http://localhost/c", "http://[::1]/c", "https://localhost/c",
		"https://app.internal/c", "https://app.local/c", "https://app.example.com:22/c", "https://app.example.com:6379/c", "https://app.example.com:80/c",
		"https://identity.platform.test/c", "https://clinical.platform.test/v1/biomarkers/me", "https://developers.platform.test/c",
	} {
		t.Run(id, func(t *testing.T) {
			onAPage(t, p.NewBrowser(t).Authorize(url.Values{"client_id": {id}, "redirect_uri": {platformtest.Callback}}), "is refused")
		})
	}
	for _, id := range []string{
		"https://localhost./c", "https://2130706433/c", "https://0x7f.1/c", "https://0177.0.0.1/c", "https://127.1/c", "https://user@127.0.0.1/c", "https://evil.example#@127.0.0.1/c", "https://LOCALHOST/c", "https://１２７.0.0.1/c", "https://app.example.com/../c", "https://app.example.com", "https://app.example.com/",
		"ftp://app.example.com/c", "file:///etc/passwd", "gopher://127.0.0.1:6379/_", "https://app.example.com/c\r\nHost: x",
	} {
		onAPage(t, p.NewBrowser(t).Authorize(url.Values{"client_id": {id}, "redirect_uri": {platformtest.Callback}}), "No app has this client_id")
	}
}

func TestClientDocument_IsFollowed(t *testing.T) {
	t.Parallel()
	p := newOpenToDocuments(t)
	app, ada, b := p.AddDocumentApp(t), p.AddMember(t, "Ada"), p.NewBrowser(t)
	app.Answer(nil)
	tokens := app.Redeem(app.Code(b, ada)).Pair(t)
	app.Describe(map[string]any{"client_name": "Day Assistant", "redirect_uris": []string{"https://app.example.com/other"}})
	if to := b.Authorize(app.Request()).Redirected(t); to.Query().Get("code") == "" || app.Fetched() != 1 {
		t.Errorf("within five minutes it is as it was: %s after %d fetches", to, app.Fetched())
	}
	p.World.Advance(6 * time.Minute)
	onAPage(t, b.Authorize(app.Request()), "not registered")
	if app.Fetched() != 2 {
		t.Errorf("it was fetched %d times", app.Fetched())
	}
	to := b.Authorize(with(app.Request(), "redirect_uri", "https://app.example.com/other")).Redirected(t)
	if to.Query().Get("code") == "" {
		t.Errorf("the same host: consent stands: %s", to)
	}
	if row := clientRows(t, p)[0]; row.Name != "Day Assistant" || row.RedirectURIs[0] != "https://app.example.com/other" {
		t.Errorf("the row is %+v", row)
	}
	tokens = app.Refresh(tokens.Refresh).Pair(t)

	t.Run("another host to return to is shown to the member first", func(t *testing.T) {
		app.Describe(map[string]any{"redirect_uris": []string{"https://elsewhere.example/cb"}})
		p.World.Advance(6 * time.Minute)
		page := b.Follow(b.Authorize(with(app.Request(), "redirect_uri", "https://elsewhere.example/cb")))
		if !strings.Contains(page.Text, `id="allow"`) || !strings.Contains(page.Text, "elsewhere.example") {
			t.Errorf("no consent page: %d %s", page.StatusCode, page.Text)
		}
	})
	t.Run("a document that is bad now replaces no good one", func(t *testing.T) {
		app.Describe(map[string]any{"redirect_uris": []string{platformtest.Callback}})
		p.World.Advance(6 * time.Minute)
		b.Authorize(app.Request())
		app.Describe(map[string]any{"client_id": "https://evil.example/c"})
		p.World.Advance(6 * time.Minute)
		if r := b.Authorize(app.Request()); r.StatusCode != http.StatusSeeOther {
			t.Errorf("%d %s", r.StatusCode, r.Text)
		}
	})
	t.Run("of a longer life it is asked for later", func(t *testing.T) {
		long := p.AddDocumentApp(t)
		long.Answer(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "max-age=3600")
			says("application/json", fmt.Sprintf(`{"client_id":%q,"client_name":"Long Life","redirect_uris":[%q]}`, long.ID, platformtest.Callback))(w, r)
		})
		for range 3 {
			p.NewBrowser(t).Authorize(long.Request())
			p.World.Advance(29 * time.Minute)
		}
		if long.Fetched() != 1 {
			t.Errorf("within an hour it was fetched %d times", long.Fetched())
		}
		p.World.Advance(29 * time.Minute)
		p.NewBrowser(t).Authorize(long.Request())
		if long.Fetched() != 2 {
			t.Errorf("after it, %d times", long.Fetched())
		}
	})
}

func TestClientDocument_OneFetchAtATime(t *testing.T) {
	t.Parallel()
	p := newOpenToDocuments(t)
	app := p.AddDocumentApp(t)
	begun, answer := make(chan struct{}, 50), make(chan struct{})
	app.Answer(func(w http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		<-answer
		http.NotFound(w, r)
	})
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if r := p.NewBrowser(t).Authorize(app.Request()); r.StatusCode != http.StatusBadRequest {
				t.Errorf("status %d", r.StatusCode)
			}
		})
	}
	<-begun
	close(answer)
	all.Wait()
	if app.Fetched() != 1 {
		t.Errorf("it was fetched %d times", app.Fetched())
	}
}

func TestClientDocument_TheOperatorSaysWhose(t *testing.T) {
	t.Parallel()
	t.Run("some hosts'", func(t *testing.T) {
		t.Parallel()
		p := newOpenToDocuments(t, func(c *platform.Config) { c.ClientDocuments = registration.DocumentHosts{Names: []string{"127.0.0.1"}} })
		app := p.AddDocumentApp(t)
		if r := p.NewBrowser(t).Authorize(app.Request()); r.StatusCode != http.StatusSeeOther {
			t.Errorf("status %d: %s", r.StatusCode, r.Text)
		}
		onAPage(t, p.NewBrowser(t).Authorize(with(app.Request(), "client_id", "https://app.example.com/client.json")), "takes no client metadata document from app.example.com")
	})
	t.Run("nobody's", func(t *testing.T) {
		t.Parallel()
		p := newOpenToDocuments(t, func(c *platform.Config) { c.ClientDocuments = registration.DocumentHosts{} })
		app := p.AddDocumentApp(t)
		onAPage(t, p.NewBrowser(t).Authorize(app.Request()), "takes no client metadata document")
		if app.Fetched() != 0 {
			t.Error("it was fetched all the same")
		}
		if supported := p.Fetch(t, http.MethodGet, platformtest.Identity+"/.well-known/oauth-authorization-server", nil).JSON(t)["client_id_metadata_document_supported"]; supported != false {
			t.Errorf("the metadata say %v", supported)
		}
	})
	t.Run("and both documents of metadata say so", func(t *testing.T) {
		t.Parallel()
		p := platformtest.New(t)
		for _, path := range []string{"oauth-authorization-server", "openid-configuration"} {
			if supported := p.Fetch(t, http.MethodGet, platformtest.Identity+"/.well-known/"+path, nil).JSON(t)["client_id_metadata_document_supported"]; supported != true {
				t.Errorf("%s says %v", path, supported)
			}
		}
	})
	t.Run("one is disabled before anybody knew it, and after", func(t *testing.T) {
		t.Parallel()
		p := newOpenToDocuments(t)
		unknown, app := p.AddDocumentApp(t), p.AddDocumentApp(t)
		if err := p.Run(t, "client", "disable", string(unknown.ID)); err != nil {
			t.Fatal(err)
		}
		onAPage(t, p.NewBrowser(t).Authorize(unknown.Request()), "disabled")
		b, ada := p.NewBrowser(t), p.AddMember(t, "Ada")
		tokens := app.Redeem(app.Code(b, ada)).Pair(t)
		if err := p.Run(t, "client", "disable", string(app.ID)); err != nil {
			t.Fatal(err)
		}
		if r := p.Biomarkers(t, tokens.Access); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("its token reads: %d", r.StatusCode)
		}
		refused(t, app.Refresh(tokens.Refresh), http.StatusUnauthorized, "invalid_client")
		if unknown.Fetched() != 0 {
			t.Error("a disabled one's document is fetched")
		}
		if err := p.Run(t, "client", "enable", string(unknown.ID)); err != nil {
			t.Fatal(err)
		}
		if r := p.NewBrowser(t).Authorize(unknown.Request()); r.StatusCode != http.StatusSeeOther {
			t.Errorf("enabled, it works: %d %s", r.StatusCode, r.Text)
		}
	})
}

// It runs while no other test does: what the process holds is measured.
func TestSec442_MadeUpClientsLeaveNothing(t *testing.T) { //nolint:paralleltest // as said
	p := newOpenToDocuments(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		says("application/json", fmt.Sprintf(`{"client_id":"http://%s%s","client_name":"Made Up","redirect_uris":[%q],"x":%q}`, r.Host, r.URL.Path, platformtest.Callback, strings.Repeat("x", 2000)))(w, r)
	}))
	t.Cleanup(server.Close)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	ask := func(id string, good bool) {
		if _, err := p.OAuth.Ledger.Client(t.Context(), loop.ClientID(id)); err == nil != good {
			t.Fatalf("%s: %v", id, err)
		}
	}
	ask(server.URL+"/first", true)
	before, files := heap(), folderSize(t, p.Folder)
	for i := range 9000 {
		ask(fmt.Sprintf("http://127.0.0.1:1/%d/%s", i, strings.Repeat("a", 400)), false)
	}
	for i := range 1000 {
		ask(fmt.Sprintf("%s/%d", server.URL, i), true)
	}
	server.CloseClientConnections()
	if after := heap(); after > before+2<<20 {
		t.Errorf("10,000 made-up clients take %d bytes", after-before)
	}
	if rows := clientRows(t, p); len(rows) != 0 {
		t.Errorf("there are %d rows", len(rows))
	}
	if grown := folderSize(t, p.Folder) - files; grown > 64<<10 { // checkpoints go on meanwhile
		t.Errorf("the folder has grown by %d bytes", grown)
	}
}

func folderSize(t *testing.T, folder string) (size int64) {
	t.Helper()
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if info, err := file.Info(); err == nil {
			size += info.Size()
		}
	}
	return size
}

func TestSec442_DocumentsAreFetchedForANetworkAtALimitedRate(t *testing.T) {
	t.Parallel()
	p := newOpenToDocuments(t, func(c *platform.Config) { c.Unlimited = false })
	for i := range 31 {
		r := p.Post(t, platformtest.Identity+"/v1/oauth/par", url.Values{"client_id": {fmt.Sprintf("http://127.0.0.1:1/%d", i)}}, nil)
		if want := map[bool]int{true: http.StatusUnauthorized, false: http.StatusTooManyRequests}[i < 30]; r.StatusCode != want {
			t.Fatalf("the %dth is answered with %d, want %d", i+1, r.StatusCode, want)
		}
	}
}

func TestClientDocument_PrivateKeyJWT(t *testing.T) {
	t.Parallel()
	p := newOpenToDocuments(t)
	app, key := p.AddDocumentApp(t), platformtest.NewKey(t)
	app.Describe(map[string]any{"token_endpoint_auth_method": "private_key_jwt", "jwks": key.Set()})
	app.Key, app.Type, app.Protocol.AuthMethod = key, loop.Confidential, loop.AuthPrivateKeyJWT
	tokens := app.Redeem(app.Code(p.NewBrowser(t), p.AddMember(t, "Ada"))).Pair(t)
	app.Refresh(tokens.Refresh).Pair(t)
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.Refresh}, "client_id": {string(app.ID)}}
	refused(t, p.Post(t, platformtest.Identity+"/v1/oauth/token", form, nil), http.StatusUnauthorized, "invalid_client")
}
