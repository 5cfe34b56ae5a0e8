// Package platformtest runs the whole platform within a test: real stores in a
// temporary folder, real handlers, a clock that the test moves, and browsers and
// apps that speak HTTP to it without a network.
package platformtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/platform"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/signin"
)

// The hosts of a platform under test.
const (
	Identity   = "https://identity.platform.test"
	Clinical   = "https://clinical.platform.test"
	Developers = "https://developers.platform.test"
)

// World is a World whose clock stands until a test moves it.
type World struct {
	loop.Machine
	mu      sync.Mutex
	now     time.Time
	elapsed time.Duration
}

// Now is what the test last set.
func (w *World) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// Elapsed is how much time the test let pass.
func (w *World) Elapsed() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.elapsed
}

// Advance lets time pass.
func (w *World) Advance(by time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now, w.elapsed = w.now.Add(by), w.elapsed+by
}

// Jump sets the clock ahead, or back, without any time passing.
func (w *World) Jump(by time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(by)
}

// Platform is a platform under test.
type Platform struct {
	*platform.Platform
	World  *World
	Folder string
	Log    *Log

	config     platform.Config
	neighbours []*Platform // that serve other hosts of the same platform
}

// Log gathers what the platform logs. It is safe for concurrent use.
type Log struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write adds to the log.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String is all that was logged.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// New starts a platform that ends with the test. It had its first start already,
// in a template. It limits nothing but sign-in and sign-up.
func New(t testing.TB) *Platform {
	t.Helper()
	return NewWith(t, func(*platform.Config) {})
}

// NewLimited starts a platform with its rate limits, behind these proxies.
func NewLimited(t testing.TB, proxies ...netip.Prefix) *Platform {
	t.Helper()
	return NewWith(t, func(c *platform.Config) { c.Unlimited, c.TrustedProxies = false, proxies })
}

// NewWith is New with a configuration that the test alters.
func NewWith(t testing.TB, alter func(*platform.Config)) *Platform {
	t.Helper()
	made, err := firstStart()
	if err != nil {
		t.Fatal(err)
	}
	p := newPlatform(t.TempDir(), made.master)
	if err := made.writeTo(p.Folder); err != nil {
		t.Fatal(err)
	}
	if made.database != "" {
		if p.config.Database, err = addDatabase(made.database); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := dropDatabase(p.config.Database); err != nil {
				t.Error(err)
			}
		})
	}
	alter(&p.config)
	p.Open(t)
	p.endWith(t)
	return p
}

// checkClients holds all who read a client to their promise: the one that they
// share is, at the end of every test, still the one that is stored.
func (p *Platform) checkClients(t testing.TB) {
	if p.Clients == nil {
		return // its role reads none
	}
	stored, err := p.Clients.Store.Clients(context.Background())
	if err != nil {
		return // the test has closed it
	}
	for _, want := range stored {
		shared, err := p.Clients.Store.Client(context.Background(), want.ID)
		if err != nil {
			t.Errorf("reading a client at the end of the test: %v", err)
			continue
		}
		got := shared.Clone()
		got.Secrets = nil // a list has none
		if !reflect.DeepEqual(got, want) {
			t.Errorf("somebody has altered a client that all share: it is %+v, and stored is %+v", got, want)
		}
	}
}

// start is when a platform under test begins: later than now, since on PostgreSQL
// the database's clock, which nobody moves, counts too.
var start = time.Date(2036, 3, 3, 8, 15, 0, 0, time.UTC)

// newPlatform is a platform in the folder that has not been opened.
func newPlatform(folder string, master *credential.Master) *Platform {
	world := &World{now: start}
	log := &Log{}
	p := &Platform{World: world, Folder: folder, Log: log}
	p.config = platform.Config{
		Folder: p.Folder, Identity: parse(Identity), Clinical: parse(Clinical), Developers: parse(Developers),
		Master: master, World: world, Log: slog.New(slog.NewTextHandler(log, nil)), SignUpsPerHour: 20,
		HTTP: &http.Client{Transport: transport{p, Peer}}, Unlimited: true, Connections: 2,
		ClientDocuments: registration.DocumentHosts{All: true},
	}
	return p
}

// Open opens the platform again after it was closed.
func (p *Platform) Open(t testing.TB) {
	t.Helper()
	if err := p.TryOpen(); err != nil {
		t.Fatal(err)
	}
}

// TryOpen is Open where an error is expected.
func (p *Platform) TryOpen() error {
	opened, err := platform.Open(context.Background(), p.config)
	if err == nil {
		p.Platform = opened
	}
	return err
}

// SayClockIsRight has the platform start although what is stored is ahead of its
// clock.
func (p *Platform) SayClockIsRight() { p.config.ClockIsRight = true }

// Master is the platform's master key.
func (p *Platform) Master() *credential.Master { return p.config.Master }

// SetMaster gives the platform another master key from its next start on.
func (p *Platform) SetMaster(master *credential.Master) { p.config.Master = master }

// Restart stops the platform and starts it again on the same folder.
func (p *Platform) Restart(t testing.TB) {
	t.Helper()
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	p.Open(t)
}

// Restore stops the platform, puts a backup in place of its state, and starts it
// again. An error leaves it stopped.
func (p *Platform) Restore(t testing.TB, archive io.Reader) (platform.Restored, error) {
	t.Helper()
	_ = p.Close(context.Background()) // the test may have stopped it
	done, err := platform.Restore(t.Context(), p.config, archive, audit.Actor{Kind: audit.ByOperator})
	if err == nil {
		p.Open(t)
	}
	return done, err
}

// RestoreAsItIs begins a new epoch on the state that is in the folder of a platform
// that does not run, and starts it.
func (p *Platform) RestoreAsItIs(t testing.TB) platform.Restored {
	t.Helper()
	done, err := p.TryRestoreAsItIs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.Open(t)
	return done
}

// TryRestoreAsItIs does the same, where it may be refused, and starts nothing.
func (p *Platform) TryRestoreAsItIs(ctx context.Context) (platform.Restored, error) {
	return platform.RestoreAsItIs(ctx, p.config, audit.Actor{Kind: audit.ByOperator})
}

// parse reads one of the addresses above.
func parse(text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil {
		panic("platformtest: " + err.Error())
	}
	return u
}

// Peer is where requests come from, unless a browser was opened elsewhere.
const Peer = "192.0.2.1"

// transport carries requests to the platform's handlers by their host.
type transport struct {
	p    *Platform
	peer string // the address of the connection
}

// RoundTrip answers from the host's handler; a host that is not the platform's
// is answered as an app would: with the query that reached it.
func (tr transport) RoundTrip(r *http.Request) (*http.Response, error) {
	handler := tr.p.handler(r.URL.Scheme + "://" + r.URL.Host)
	if handler == nil {
		handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	}
	in := r.Clone(r.Context())
	in.RequestURI = r.URL.RequestURI()
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	in.RemoteAddr = net.JoinHostPort(tr.peer, "1234")
	if in.Body == nil {
		in.Body = http.NoBody
	}
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, in)
	resp := rec.Result()
	resp.Request = r
	return resp, nil
}

// handler is the host's, in this process or in a neighbour's; nil: it is nobody's.
func (p *Platform) handler(host string) http.Handler {
	for _, one := range append([]*Platform{p}, p.neighbours...) {
		identity, clinical, developers := one.Hosts()
		handler := map[string]http.Handler{Identity: identity, Clinical: clinical, Developers: developers}[host]
		if handler != nil {
			return handler
		}
	}
	return nil
}

// AddMember makes a test member.
func (p *Platform) AddMember(t testing.TB, name string) *loop.Member {
	t.Helper()
	accounts := *p.Accounts
	accounts.Passwords = madePassword{}
	m, err := accounts.Create(t.Context(), member.Account{
		Name: name, Email: strings.ToLower(name) + "@members.example", Password: Password, Sex: loop.Female, Test: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// SignUp makes an account on the sign-up page, as a person does, and gives the
// browser that is signed in to it.
func (p *Platform) SignUp(t testing.TB, name string) *Browser {
	t.Helper()
	b := p.NewBrowser(t)
	page := b.Get(Identity + "/signup")
	r := b.Post(Identity+"/signup", url.Values{
		"csrf": {page.Field("csrf")}, "name": {name}, "email": {strings.ToLower(name) + "@people.example"}, "password": {Password},
	})
	if r.StatusCode != http.StatusSeeOther {
		t.Fatalf("signing up: %d %s", r.StatusCode, r.Text)
	}
	return b
}

// Suspend suspends a member, as `loop user suspend` does.
func (p *Platform) Suspend(t testing.TB, m *loop.Member) error {
	t.Helper()
	return p.Run(t, "user", "suspend", string(m.ID))
}

// Run runs an administrative command.
func (p *Platform) Run(t testing.TB, args ...string) error {
	t.Helper()
	_, err := p.RunWith(t, "", args...)
	return err
}

// RunWith runs an administrative command that reads something, and gives what it
// writes. What it complains of is the error.
func (p *Platform) RunWith(t testing.TB, stdin string, args ...string) (stdout string, err error) {
	t.Helper()
	var out, complaint strings.Builder
	commands := p.Commands(func() string { return Password })
	if status := commands(t.Context(), args, strings.NewReader(stdin), &out, &complaint); status != 0 {
		return out.String(), errors.New(complaint.String())
	}
	return out.String(), nil
}

// App is a registered client with what it needs to act.
type App struct {
	*loop.Client
	Secret string
	Key    *Key // of an app that AddKeyApp made

	t testing.TB
	p *Platform
}

// Callback is the redirect URI of an app that AddApp made.
const Callback = "https://app.example.com/cb"

// AddApp registers an app: confidential, verified, in production mode with an
// agreement, unless alter says otherwise.
func (p *Platform) AddApp(t testing.TB, alter func(*loop.Client)) *App {
	t.Helper()
	c := registration.New()
	c.Name, c.RedirectURIs = "Morning Labs", []loop.RedirectURI{Callback}
	c.AllowedScopes = loop.NewScopes(loop.ScopeOpenID, loop.ScopeProfile, loop.ScopeEmail, loop.ScopeReadBiomarkers)
	c.Mode, c.Verified, c.BAA = loop.Production, true, &loop.BAA{SignedOn: p.World.Now(), By: "an operator"}
	if alter != nil {
		alter(c)
	}
	secret, err := p.Clients.Create(t.Context(), c, audit.Actor{Kind: audit.ByOperator})
	if err != nil {
		t.Fatal(err)
	}
	return &App{Client: c, Secret: secret.Reveal(), t: t, p: p}
}

// Verifier is the code verifier of the requests that Request makes.
const Verifier = "a-code-verifier-that-is-long-enough-for-rfc-7636"

// Challenge is the S256 transform of a verifier.
func Challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Request is a correct authorization request of the app: change it at will.
func (a *App) Request() url.Values {
	return url.Values{
		"response_type": {"code"}, "client_id": {string(a.ID)}, "redirect_uri": {string(a.RedirectURIs[0])},
		"scope": {"openid profile read:biomarkers"}, "state": {"state-" + rand.Text()},
		"code_challenge": {Challenge(Verifier)}, "code_challenge_method": {"S256"},
	}
}

// Response is an answer, read to its end.
type Response struct {
	*http.Response
	Text string
}

// JSON reads the answer as a JSON object.
func (r *Response) JSON(t testing.TB) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(r.Text), &v); err != nil {
		t.Fatalf("status %d: not JSON: %q", r.StatusCode, r.Text)
	}
	return v
}

// Redirected reads where the answer leads; it fails the test where it does not.
func (r *Response) Redirected(t testing.TB) *url.URL {
	t.Helper()
	if r.StatusCode != http.StatusSeeOther {
		t.Fatalf("status %d, want 303: %s", r.StatusCode, r.Text)
	}
	to, err := r.Location()
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// Field reads the value of the page's input with this name.
func (r *Response) Field(name string) string {
	doc, err := html.Parse(strings.NewReader(r.Text))
	if err != nil {
		return ""
	}
	for node := range doc.Descendants() {
		if node.Data != "input" {
			continue
		}
		attrs := map[string]string{}
		for _, attr := range node.Attr {
			attrs[attr.Key] = attr.Val
		}
		if attrs["name"] == name {
			return attrs["value"]
		}
	}
	return ""
}

// Browser is a browser with cookies, which follows no redirect by itself.
type Browser struct {
	// Language is what it says by Accept-Language; empty: nothing.
	Language string

	client *http.Client
	t      testing.TB
}

// NewBrowser opens a browser that has never been here.
func (p *Platform) NewBrowser(t testing.TB) *Browser {
	t.Helper()
	return p.NewBrowserAt(t, Peer)
}

// NewBrowserAt opens a browser whose connections come from the address.
func (p *Platform) NewBrowserAt(t testing.TB, peer string) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &Browser{t: t, client: &http.Client{
		Transport: transport{p, peer}, Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// SignedIn opens a browser in which a member has just signed in, without the work
// of a password; a suspended member's is signed out.
func (p *Platform) SignedIn(t testing.TB, m *loop.Member) *Browser {
	t.Helper()
	b, now := p.NewBrowser(t), p.World.Now()
	cookie := credential.NewSecret(p.World, credential.SessionPrefix)
	err := p.SignIns.Store.StartSession(t.Context(), signin.Start{Session: signin.Session{
		Hash: cookie.Hash(), ID: loop.NewSessionID(p.World), Member: m.ID, Authentication: loop.Authentication{At: now, Methods: loop.ByPassword}, SeenAt: now, ExpiresAt: now.Add(signin.SessionAtMost),
	}}, p.SignIns.OnSessionEnd, audit.Record{At: now, Event: audit.MemberSignedIn, Member: m.ID, Actor: audit.Actor{Kind: audit.ByMember, ID: string(m.ID)}})
	if err != nil && !errors.Is(err, loop.ErrNotFound) {
		t.Fatal(err)
	}
	b.client.Jar.SetCookies(parse(Identity), []*http.Cookie{{Name: "__Host-loop_session", Value: cookie.Reveal(), Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}})
	return b
}

// Get asks for an address, as a click on a link does.
func (b *Browser) Get(address string) *Response {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	return b.Do(req)
}

// Post sends a form of a page of the same host.
func (b *Browser) Post(address string, form url.Values) *Response {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Origin", "null") // our pages send no referrer
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.Do(req)
}

// Do sends a request as it is.
func (b *Browser) Do(req *http.Request) *Response {
	b.t.Helper()
	if b.Language != "" {
		req.Header.Set("Accept-Language", b.Language)
	}
	resp, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end below
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return &Response{resp, string(body)}
}

// Authorize sends an authorization request.
func (b *Browser) Authorize(params url.Values) *Response {
	b.t.Helper()
	return b.Get(Identity + "/v1/oauth/authorize?" + params.Encode())
}

// Cookies are the browser's cookies for a host.
func (b *Browser) Cookies(host string) []*http.Cookie {
	u, err := url.Parse(host)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.client.Jar.Cookies(u)
}

// Follow goes on through the platform's own redirects until there is a page or
// an answer to an app.
func (b *Browser) Follow(r *Response) *Response {
	b.t.Helper()
	for range 10 {
		to, err := r.Location()
		if err != nil || to.Scheme+"://"+to.Host != Identity {
			return r
		}
		r = b.Get(to.String())
	}
	b.t.Fatal("redirects go in a circle")
	return nil
}

// SignIn fills the sign-in page with a member's address and goes on.
func (b *Browser) SignIn(page *Response, m *loop.Member) *Response {
	b.t.Helper()
	return b.Follow(b.Post(Identity+"/signin", url.Values{
		"csrf": {page.Field("csrf")}, "continue": {page.Field("continue")},
		"email": {string(m.Email)}, "password": {Password},
	}))
}

// Decide answers the consent page: allow, deny or continue, with the scopes that
// stay ticked.
func (b *Browser) Decide(page *Response, decision string, ticked ...string) *Response {
	b.t.Helper()
	return b.Follow(b.Post(Identity+"/consent", url.Values{
		"csrf": {page.Field("csrf")}, "continue": {page.Field("continue")}, "ticket": {page.Field("ticket")},
		"decision": {decision}, "scope": ticked,
	}))
}

// Allow takes a member from an authorization request to its answer, with every
// scope ticked.
func (b *Browser) Allow(params url.Values, m *loop.Member) *url.URL {
	b.t.Helper()
	r := b.Follow(b.Authorize(params))
	if r.Field("password") == "" && strings.Contains(r.Text, `id="sign-in"`) {
		r = b.SignIn(r, m)
	}
	if strings.Contains(r.Text, `id="allow"`) {
		r = b.Decide(r, "allow", strings.Fields(loop.ReadScopeRequest(params.Get("scope")).Scopes().String())...)
	}
	return r.Redirected(b.t)
}

// Code takes a member through the whole journey and gives the code.
func (a *App) Code(b *Browser, m *loop.Member) string {
	a.t.Helper()
	code := b.Allow(a.Request(), m).Query().Get("code")
	if code == "" {
		a.t.Fatal("no code came back")
	}
	return code
}

// Token sends a form to the token endpoint as the app.
func (a *App) Token(form url.Values) *Response {
	a.t.Helper()
	return a.Send("/v1/oauth/token", form, nil)
}

// Redeem exchanges a code.
func (a *App) Redeem(code string) *Response {
	a.t.Helper()
	return a.Token(url.Values{
		"grant_type": {"authorization_code"}, "code": {code},
		"redirect_uri": {string(a.RedirectURIs[0])}, "code_verifier": {Verifier},
	})
}

// Refresh rotates a refresh token.
func (a *App) Refresh(refreshToken string) *Response {
	a.t.Helper()
	return a.Token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refreshToken}})
}

// Tokens is a pair of tokens.
type Tokens struct{ Access, Refresh, ID, Scope string }

// Pair reads the tokens of an answer; it fails the test where there are none.
func (r *Response) Pair(t testing.TB) Tokens {
	t.Helper()
	if r.StatusCode != http.StatusOK {
		t.Fatalf("status %d: %s", r.StatusCode, r.Text)
	}
	v := r.JSON(t)
	text := func(name string) string {
		s, _ := v[name].(string)
		return s
	}
	return Tokens{text("access_token"), text("refresh_token"), text("id_token"), text("scope")}
}

// Post sends a form without a browser.
func (p *Platform) Post(t testing.TB, address string, form url.Values, header http.Header) *Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for name, values := range header {
		req.Header[name] = values
	}
	return p.NewBrowser(t).Do(req)
}

// Biomarkers reads lab results with an access token.
func (p *Platform) Biomarkers(t testing.TB, accessToken string) *Response {
	t.Helper()
	return p.bearer(t, Clinical+"/v1/biomarkers/me", accessToken)
}

// UserInfo reads userinfo with an access token.
func (p *Platform) UserInfo(t testing.TB, accessToken string) *Response {
	t.Helper()
	return p.bearer(t, Identity+"/v1/oauth/userinfo", accessToken)
}

func (p *Platform) bearer(t testing.TB, address, accessToken string) *Response {
	t.Helper()
	return p.Fetch(t, http.MethodGet, address, http.Header{"Authorization": {"Bearer " + accessToken}})
}
