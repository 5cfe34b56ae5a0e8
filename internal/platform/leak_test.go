package platform_test

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/platform"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// secrets is what a test has seen and nobody may find, by what it is.
type secrets map[string]string

// of notes a secret, and gives it back.
func (s secrets) of(what, value string) string {
	if len(value) < 6 {
		panic("too short to look for: " + what)
	}
	s[what] = value
	return value
}

// eventful goes through every part of the protocol, also where it fails. Stored are
// the secrets that must not be in a file either.
func eventful(t *testing.T, p *platformtest.Platform) (stored, private secrets) {
	t.Helper()
	stored, private = secrets{}, secrets{}
	app, keyed := p.AddApp(t, nil), p.AddKeyApp(t, nil)
	ada := p.AddMember(t, "Adalovelace")
	stored.of("an e-mail address", string(ada.Email))
	stored.of("a name", ada.Name)
	value, err := biomarker.ParseDecimal("2.41739")
	if err != nil {
		t.Fatal(err)
	}
	stored.of("a result", "2.41739")
	err = p.Importer.Import(t.Context(), audit.Actor{Kind: audit.BySystem}, ada.ID, []biomarker.Result{{
		ID: "bmk_01KAXYZ0000000000000000000", Code: "tsh", Value: value, Unit: "m[IU]/L", Source: "quest",
		CollectedAt: p.World.Now().Add(-time.Hour), ParsedAt: p.World.Now(),
	}})
	if err != nil {
		t.Fatal(err)
	}
	stored.of("a password", platformtest.Password)
	stored.of("a client's secret", app.Secret)
	stored.of("a code verifier", platformtest.Verifier)

	b := p.NewBrowser(t)
	request := app.Request()
	request.Set("login_hint", string(ada.Email))
	private.of("a state", request.Get("state"))
	page := b.Follow(b.Authorize(request))
	stored.of("a form's token", page.Field("csrf"))
	stored.of("a continuation", page.Field("continue"))
	b.Post(platformtest.Identity+"/signin", url.Values{
		"csrf": {page.Field("csrf")}, "email": {string(ada.Email)}, "password": {stored.of("a wrong password", "a wrong password of somebody")},
	})
	consent := b.SignIn(page, ada)
	stored.of("a ticket", consent.Field("ticket"))
	to := b.Decide(consent, "allow", "profile", "read:biomarkers").Redirected(t)
	tokens := app.Redeem(stored.of("a code", to.Query().Get("code"))).Pair(t)
	stored.of("an access token", tokens.Access)
	stored.of("a refresh token", tokens.Refresh)
	stored.of("an ID token", tokens.ID)
	for _, c := range b.Cookies(platformtest.Identity) {
		stored.of("the cookie "+c.Name, c.Value)
	}
	next := app.Refresh(tokens.Refresh).Pair(t)
	stored.of("the next access token", next.Access)
	stored.of("the next refresh token", next.Refresh)
	if r := p.Biomarkers(t, next.Access); !strings.Contains(r.Text, "2.41739") {
		t.Fatalf("%d %s", r.StatusCode, r.Text)
	}
	p.Fetch(t, http.MethodGet, biomarkers+"?access_token="+next.Access, nil)
	p.UserInfo(t, next.Access)
	app.Send("/v1/oauth/introspect", url.Values{"token": {next.Refresh}}, nil)
	handle, _ := app.Send("/v1/oauth/par", app.Request(), nil).JSON(t)["request_uri"].(string)
	stored.of("a pushed request's name", strings.TrimPrefix(handle, "urn:ietf:params:oauth:request_uri:"))
	b.Authorize(url.Values{"client_id": {string(app.ID)}, "request_uri": {handle}})

	form := keyed.Assert(keyed.Request())
	stored.of("an assertion", form.Get("client_assertion"))
	p.Post(t, platformtest.Identity+"/v1/oauth/par", form, nil)
	p.Post(t, platformtest.Identity+"/v1/oauth/par", form, nil) // used before
	object := keyed.Signed(keyed.Request())
	private.of("a request object", object.Get("request"))
	b.Follow(b.Authorize(object))
	key := platformtest.NewKey(t)
	header := p.WithProof(key, http.MethodPost, platformtest.Identity+"/v1/oauth/token", "")
	stored.of("a proof", header.Get("Dpop"))
	r := app.Send("/v1/oauth/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {next.Refresh}}, header)
	stored.of("a nonce", r.Header.Get("Dpop-Nonce"))
	bound := r.Pair(t)
	p.Fetch(t, http.MethodGet, userInfo, p.WithProof(key, http.MethodGet, userInfo, bound.Access))

	app.Refresh(tokens.Refresh) // a replay, which ends everything
	app.Redeem(to.Query().Get("code"))
	app.Send("/v1/oauth/revoke", url.Values{"token": {next.Refresh}}, nil)
	for _, secret := range stored { // and where nothing of it belongs
		p.Post(t, platformtest.Identity+"/v1/oauth/token", url.Values{"client_id": {secret}, "client_secret": {secret}, "grant_type": {secret}, "scope": {secret}}, nil)
		p.Fetch(t, http.MethodGet, platformtest.Identity+"/"+url.PathEscape(secret)+"?x="+url.QueryEscape(secret), http.Header{
			"User-Agent": {secret}, "X-Request-Id": {secret}, "Authorization": {"Bearer " + secret}, "Referer": {platformtest.Callback + "?code=" + secret},
		})
	}
	b.Get(platformtest.Identity + "/v1/oauth/logout?" + url.Values{"id_token_hint": {tokens.ID}}.Encode())
	rotated, err := p.Clients.RotateSecret(t.Context(), app.ID, audit.Actor{Kind: audit.ByOperator})
	if err != nil {
		t.Fatal(err)
	}
	stored.of("a rotated secret", rotated.Reveal())
	return stored, private
}

func TestSec122_Sec125_NothingThatOpensAnythingIsLeftBehind(t *testing.T) {
	t.Parallel()
	platformtest.OnSQLite(t)
	p := platformtest.NewWith(t, func(c *platform.Config) { c.FetchHosts = []string{"127.0.0.1"} })
	stored, private := eventful(t, p)
	if err := p.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.World.Advance(2 * time.Hour)
	if err := p.Sweep(t.Context()); err != nil { // hours of refusals become records
		t.Fatal(err)
	}
	log := p.Log.String()
	if !strings.Contains(log, "POST /v1/oauth/token") || !strings.Contains(log, "level=INFO") {
		t.Fatalf("the log says nothing:\n%s", log)
	}
	records := auditRecords(t, p)
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	for what, value := range stored {
		if strings.Contains(log, value) {
			t.Errorf("Sec122 the log holds %s", what)
		}
		if strings.Contains(records, value) {
			t.Errorf("Sec122 an audit record holds %s", what)
		}
	}
	for what, value := range private {
		if strings.Contains(log, value) || strings.Contains(records, value) {
			t.Errorf("Sec122 the log or an audit record holds %s", what)
		}
	}
	entries, err := os.ReadDir(p.Folder)
	if err != nil || len(entries) < 3 {
		t.Fatalf("%d files, %v", len(entries), err)
	}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(p.Folder, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for what, value := range stored {
			if strings.Contains(string(content), value) {
				t.Errorf("Sec125 %s holds %s", entry.Name(), what)
			}
		}
	}
}

// auditRecords is all that the records of both databases say.
func auditRecords(t *testing.T, p *platformtest.Platform) string {
	t.Helper()
	out, err := p.RunWith(t, "", "audit", "tail", "-n", "1000")
	if err != nil {
		t.Fatal(err)
	}
	for _, event := range []audit.Event{audit.CodeIssued, audit.TokenReused, audit.BiomarkersRead, audit.CredentialRefused, audit.SignInRefused} {
		if !strings.Contains(out, string(event)) {
			t.Fatalf("no record of %s:\n%s", event, out)
		}
	}
	return out
}

func TestSec125_ADumpOfTheDatabaseOpensNothing(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	app.Redeem(app.Code(b, ada)).Pair(t)
	handle, _ := app.Send("/v1/oauth/par", app.Request(), nil).JSON(t)["request_uri"].(string)
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	// Whatever stands in a row, as it stands there and without its SQL quotes, is
	// neither a token nor a secret nor a cookie.
	held := map[string]bool{}
	for _, line := range strings.Split(stored(t, p), "\n") {
		for field := range strings.FieldsSeq(line) {
			_, value, _ := strings.Cut(field, "=")
			held[value] = true
		}
	}
	p.Open(t)
	if len(held) < 20 {
		t.Fatalf("only %d values were found", len(held))
	}
	for value := range held {
		if value == "" || strings.ContainsAny(value, "\x00\r\n;,\"[] ") {
			continue
		}
		if r := p.UserInfo(t, value); r.StatusCode == http.StatusOK {
			t.Errorf("%.40q is an access token", value)
		}
		if r := app.Refresh(value); r.StatusCode == http.StatusOK {
			t.Errorf("%.40q is a refresh token", value)
		}
		form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"x"}, "client_id": {string(app.ID)}, "client_secret": {value}}
		if r := p.Post(t, platformtest.Identity+"/v1/oauth/token", form, nil); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("%.40q is the client's secret", value)
		}
		if r := p.Fetch(t, http.MethodGet, platformtest.Identity+"/", http.Header{"Cookie": {"__Host-loop_session=" + value}}); r.StatusCode == http.StatusOK {
			t.Errorf("%.40q is a session", value)
		}
	}
	t.Run("and the genuine ones work", func(t *testing.T) {
		if r := b.Authorize(url.Values{"client_id": {string(app.ID)}, "request_uri": {handle}}); r.Redirected(t).Query().Get("code") == "" {
			t.Error("the pushed request is gone")
		}
	})
}
