package connecttest

import (
	"bytes"
	"cmp"
	"context"
	"crypto"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loop-health/loop/connect"
	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/platform"
	"github.com/loop-health/loop/internal/registration"
)

// Platform is Loop, within a test. All that is in it is synthetic.
type Platform struct {
	Issuer string // http://127.0.0.1:…
	API    string
	Clock  *Clock

	platform *platform.Platform
	faults   faults
	members  atomic.Int64
	requests [2]atomic.Int64 // refreshes: asked, and answered with tokens
}

// New starts a platform that ends with the test.
func New(t testing.TB) *Platform {
	t.Helper()
	p := &Platform{Clock: &Clock{now: time.Now().UTC().Truncate(time.Second)}, faults: faults{random: rand.New(rand.NewPCG(1, 2)).Float64}} //nolint:gosec // G404: the same faults each time
	hosts := make([]*httptest.Server, 3)
	addresses := make([]*url.URL, len(hosts))
	for i := range hosts {
		var listening net.ListenConfig
		listener, err := listening.Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		hosts[i] = &httptest.Server{Listener: listener, Config: &http.Server{ReadHeaderTimeout: 5 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}}
		addresses[i] = &url.URL{Scheme: "http", Host: listener.Addr().String()}
	}
	master, _ := credential.NewMaster(loop.Machine{})
	opened, err := platform.Open(t.Context(), platform.Config{
		Folder: t.TempDir(), Identity: addresses[0], Clinical: addresses[1], Developers: addresses[2],
		Master: master, World: world{clock: p.Clock}, Log: slog.New(slog.DiscardHandler),
		HTTP: &http.Client{Timeout: time.Minute}, SignUpsPerHour: 1000, Unlimited: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	p.platform, p.Issuer, p.API = opened, addresses[0].String(), addresses[1].String()
	identity, clinical, developers := opened.Hosts()
	for i, handler := range []http.Handler{p.count(identity), clinical, developers} {
		hosts[i].Config.Handler = p.faults.before(handler)
		hosts[i].Start()
	}
	t.Cleanup(func() {
		for _, host := range hosts {
			host.Close()
		}
		if err := opened.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return p
}

// count counts the refreshes that reach the token endpoint.
func (p *Platform) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/oauth/token" {
			next.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(io.LimitReader(r.Body, maxForm))
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if form, err := url.ParseQuery(string(body)); err != nil || form.Get("grant_type") != "refresh_token" {
			next.ServeHTTP(w, r)
			return
		}
		p.requests[0].Add(1)
		recorded := &statusWriter{ResponseWriter: w}
		next.ServeHTTP(recorded, r)
		if recorded.status == http.StatusOK {
			p.requests[1].Add(1)
		}
	})
}

// maxForm bounds a form that is read here: more than the platform takes.
const maxForm = 1 << 20

type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Refreshes is how many refreshes have reached the platform, and how many of them were
// answered with tokens.
func (p *Platform) Refreshes() (asked, answered int64) {
	return p.requests[0].Load(), p.requests[1].Load()
}

// Inject has something go wrong from now on.
func (p *Platform) Inject(fault Fault) { p.faults.add(fault) }

// Heal ends all faults.
func (p *Platform) Heal() { p.faults.clear() }

// Member is somebody with an account at Loop.
type Member struct {
	ID       string
	Name     string
	Email    string
	Password string
}

// AddMember makes a member.
func (p *Platform) AddMember(t testing.TB, name string) Member {
	t.Helper()
	made := Member{Name: name, Password: credential.NewSecret(loop.Machine{}, credential.SessionPrefix).Reveal()}
	made.Email = fmt.Sprintf("member%d@members.example", p.members.Add(1))
	m, err := p.platform.Accounts.Create(t.Context(), member.Account{Name: name, Email: made.Email, Password: made.Password, Sex: loop.Female, Test: true})
	if err != nil {
		t.Fatal(err)
	}
	made.ID = string(m.ID)
	return made
}

// Result is a lab result to be: synthetic, as all of them here are.
type Result struct {
	Code  string    // of the catalogue, such as tsh
	Value string    // a decimal
	Unit  string    // empty: m[IU]/L
	At    time.Time // when the sample was taken; zero: an hour ago
}

// AddResults gives a member lab results.
func (p *Platform) AddResults(t testing.TB, m Member, results ...Result) {
	t.Helper()
	made := make([]biomarker.Result, len(results))
	for i, r := range results {
		value, err := biomarker.ParseDecimal(r.Value)
		if err != nil {
			t.Fatal(err)
		}
		at := r.At
		if at.IsZero() {
			at = p.Clock.Now().Add(-time.Hour)
		}
		made[i] = biomarker.Result{
			ID: loop.NewResultID(world{clock: p.Clock}), Code: biomarker.Code(r.Code), Value: value, Unit: cmp.Or(r.Unit, "m[IU]/L"),
			Source: "synthetic", CollectedAt: at, ParsedAt: p.Clock.Now(),
		}
	}
	if err := p.platform.Importer.Import(t.Context(), audit.Actor{Kind: audit.BySystem}, loop.MemberID(m.ID), made); err != nil {
		t.Fatal(err)
	}
}

// NewApp registers an app that comes back at a redirect URL, and gives what it is
// registered with. The options alter it first.
func (p *Platform) NewApp(t testing.TB, redirectURL string, options ...Option) connect.Config {
	t.Helper()
	app := registration.New()
	app.Name, app.RedirectURIs = "An app under test", []loop.RedirectURI{loop.RedirectURI(redirectURL)}
	app.AllowedScopes = loop.NewScopes(loop.ScopeOpenID, loop.ScopeProfile, loop.ScopeEmail, loop.ScopeReadBiomarkers)
	config := connect.Config{Issuer: p.Issuer, API: p.API, RedirectURL: redirectURL, Now: p.Clock.Now}
	for _, option := range options {
		option(app, &config)
	}
	secret, err := p.platform.Clients.Create(t.Context(), app, audit.Actor{Kind: audit.BySystem})
	if err != nil {
		t.Fatal(err)
	}
	config.ClientID, config.ClientSecret = string(app.ID), connect.Secret(secret.Reveal())
	return config
}

// Option alters how an app is registered.
type Option func(*loop.Client, *connect.Config)

// WithGrace registers a grace period for refreshes that were lost.
func WithGrace(grace time.Duration) Option {
	return func(app *loop.Client, config *connect.Config) { app.RefreshGrace, config.RefreshGrace = grace, grace }
}

// EndGrants ends all that a member allows, as they do in their account.
func (p *Platform) EndGrants(t testing.TB, m Member) {
	t.Helper()
	var grants []struct {
		ID string `json:"grant_id"`
	}
	if err := json.Unmarshal([]byte(p.run(t, "grant", "list", "--user", m.ID, "--json")), &grants); err != nil {
		t.Fatal(err)
	}
	for _, grant := range grants {
		p.run(t, "grant", "revoke", grant.ID)
	}
}

// Suspend ends a member's account: nothing of theirs opens anything any more.
func (p *Platform) Suspend(t testing.TB, m Member) {
	t.Helper()
	p.run(t, "user", "suspend", m.ID)
}

// run runs an operator's command.
func (p *Platform) run(t testing.TB, args ...string) string {
	t.Helper()
	var out, complaint strings.Builder
	commands := p.platform.Commands(func() string { return "" })
	if status := commands(t.Context(), args, strings.NewReader(""), &out, &complaint); status != 0 {
		t.Fatalf("loop %s: %s", strings.Join(args, " "), complaint.String())
	}
	return out.String()
}

// WithKey registers an app that signs who it is (private_key_jwt) with the key of this
// public part, in place of a secret.
func WithKey(public crypto.PublicKey, id string) Option {
	return func(app *loop.Client, _ *connect.Config) {
		set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: public, KeyID: id, Algorithm: string(jose.ES256), Use: "sig"}}})
		if err != nil {
			panic("connecttest: " + err.Error())
		}
		app.Protocol.AuthMethod, app.Protocol.KeySet = loop.AuthPrivateKeyJWT, set
	}
}
