//go:build unix

package inquiry_test

import (
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/credential/credentialtest"
	"github.com/loop-health/loop/internal/inquiry"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform"
	"github.com/loop-health/loop/internal/platform/platformtest"
	"github.com/loop-health/loop/internal/store/postgres"
	"github.com/loop-health/loop/internal/store/postgres/postgrestest"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

// migrated gives the address of an empty database with all migrations.
func migrated(t *testing.T) string {
	t.Helper()
	address := postgrestest.Database(t)
	if _, err := postgres.Migrate(t.Context(), postgres.Config{URL: address, World: loop.Machine{}, Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	return address
}

// forClinical makes a database user who may do what docs/loop-serve.md says, and gives
// the address by which that one connects.
func forClinical(t *testing.T, address string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context()) //nolint:errcheck // it is over
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	name := "clinical_of_" + strings.TrimPrefix(u.Path, "/")
	password := credential.NewSecret(loop.Machine{}, credential.SessionPrefix).Reveal()
	for _, statement := range append([]string{`CREATE ROLE ` + name + ` LOGIN PASSWORD '` + password + `'`}, documentedGrants(t, name)...) {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	u.User = url.UserPassword(name, password)
	return u.String()
}

// documentedGrants are the statements of the documentation, for this database user.
func documentedGrants(t *testing.T, name string) (grants []string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/loop-serve.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(page)) {
		if strings.HasPrefix(line, "GRANT ") {
			grants = append(grants, strings.ReplaceAll(line, "loop_clinical", name))
		}
	}
	if len(grants) == 0 {
		t.Fatal("docs/loop-serve.md says nothing of what clinical's database user may do")
	}
	return grants
}

// divided is a platform in three processes, with a member, results and an app.
type divided struct {
	identity, clinical *platformtest.Platform
	app                *platformtest.App
	member             *loop.Member
	tokens             platformtest.Tokens
}

func divide(t *testing.T) divided {
	t.Helper()
	address := migrated(t)
	d := divided{identity: platformtest.NewOn(t, address, platform.RoleIdentity)}
	d.clinical = d.identity.Beside(t, forClinical(t, address), platform.RoleClinical)
	d.identity.Beside(t, address, platform.RoleDevelopers)
	d.member = d.identity.AddMember(t, "Ada")
	value, err := biomarker.ParseDecimal("45")
	if err != nil {
		t.Fatal(err)
	}
	err = d.clinical.Importer.Import(t.Context(), audit.Actor{Kind: audit.BySystem}, d.member.ID, []biomarker.Result{{
		ID: "bmk_01KAXYZ0000000000000000000", Code: "hdl-c", Value: value, Unit: "mg/dL", Source: "quest",
		CollectedAt: d.identity.World.Now().Add(-time.Hour), ParsedAt: d.identity.World.Now(),
	}})
	if err != nil {
		t.Fatal(err)
	}
	d.app = d.identity.AddApp(t, func(c *loop.Client) {
		c.AllowedScopes = c.AllowedScopes.Or(loop.NewScopes(loop.ScopeManageConnectedApps))
	})
	b := d.identity.SignedIn(t, d.member)
	d.tokens = d.app.Redeem(d.app.Code(b, d.member)).Pair(t)
	return d
}

// A consent page says how much health data there is where clinical can be asked, and is
// there without that where it can't.
func TestConsent_DoesNotWaitForClinical(t *testing.T) {
	t.Parallel()
	address := migrated(t)
	alone := platformtest.NewOn(t, address, platform.RoleIdentity)
	ada, app := alone.AddMember(t, "Ada"), alone.AddApp(t, func(*loop.Client) {})
	b := alone.SignedIn(t, ada)
	page := b.Follow(b.Authorize(app.Request()))
	if !strings.Contains(page.Text, `id="allow"`) || strings.Contains(page.Text, "lab results yet") {
		t.Errorf("without clinical: %d %s", page.StatusCode, page.Text)
	}
	alone.Beside(t, forClinical(t, address), platform.RoleClinical)
	if page := b.Follow(b.Authorize(app.Request())); !strings.Contains(page.Text, "no lab results yet") {
		t.Errorf("with clinical: %d %s", page.StatusCode, page.Text)
	}
}

// Each role starts alone, and clinical by a database user who may not look into what
// identity keeps; together they are one platform.
func TestRoles_InProcessesOfTheirOwnAreOnePlatform(t *testing.T) {
	t.Parallel()
	d := divide(t)
	read := d.clinical.Biomarkers(t, d.tokens.Access)
	if read.StatusCode != http.StatusOK || !strings.Contains(read.Text, "HDL cholesterol") {
		t.Fatalf("reading lab results: %d %s", read.StatusCode, read.Text)
	}
	if !strings.Contains(read.Text, `"low"`) { // for a woman; for a man it is not
		t.Errorf("the result is not held against the interval of the member's sex, which identity knows: %s", read.Text)
	}
	b := d.identity.SignedIn(t, d.member)
	if page := b.Get(platformtest.Identity + "/account/activity"); !strings.Contains(page.Text, "1 lab result") {
		t.Errorf("the member does not see the read, which clinical recorded: %d %s", page.StatusCode, page.Text)
	}
	if page := b.Get(platformtest.Identity + "/account/apps"); !strings.Contains(page.Text, d.app.Name) {
		t.Errorf("the member does not see the app: %d %s", page.StatusCode, page.Text)
	}
	if page := d.identity.NewBrowser(t).Get(platformtest.Developers + "/docs"); page.StatusCode != http.StatusOK {
		t.Errorf("the portal: %d", page.StatusCode)
	}
	if r := d.identity.UserInfo(t, d.tokens.Access); r.StatusCode != http.StatusOK {
		t.Errorf("userinfo: %d %s", r.StatusCode, r.Text)
	}
	if err := d.identity.Suspend(t, d.member); err != nil {
		t.Fatal(err)
	}
	if r := d.clinical.Biomarkers(t, d.tokens.Access); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("after the member was suspended, clinical answers %d", r.StatusCode)
	}
	for _, command := range []string{"client list", "user list", "keys list"} {
		if err := d.clinical.Run(t, strings.Fields(command)...); err == nil || !strings.Contains(err.Error(), "role") {
			t.Errorf("loop %s at clinical: %v", command, err)
		}
	}
	for _, p := range []*platformtest.Platform{d.identity, d.clinical} {
		if err := p.Run(t, "audit", "verify"); err != nil {
			t.Errorf("loop audit verify: %v", err)
		}
	}
}

// Which pages may read an answer is identity's to know, and clinical asks.
func TestClinical_OpensAnswersToTheAppsOwnPagesAlone(t *testing.T) {
	t.Parallel()
	d := divide(t)
	const own = "https://spa.example.com"
	app := d.identity.AddApp(t, func(c *loop.Client) { c.Protocol.AllowedOrigins = []loop.Origin{own} })
	b := d.identity.SignedIn(t, d.member)
	tokens := app.Redeem(app.Code(b, d.member)).Pair(t)
	for origin, want := range map[string]string{own: own, "https://other.example.com": ""} {
		r := d.clinical.Fetch(t, http.MethodGet, platformtest.Clinical+"/v1/biomarkers/me", http.Header{"Authorization": {"Bearer " + tokens.Access}, "Origin": {origin}})
		if got := r.Header.Get("Access-Control-Allow-Origin"); r.StatusCode != http.StatusOK || got != want {
			t.Errorf("from %s: %d, open to %q", origin, r.StatusCode, got)
		}
		before := d.clinical.Fetch(t, http.MethodOptions, platformtest.Clinical+"/v1/biomarkers/me", http.Header{"Origin": {origin}, "Access-Control-Request-Method": {"GET"}, "Access-Control-Request-Headers": {"authorization"}})
		if got := before.Header.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("asked beforehand from %s: %d, open to %q", origin, before.StatusCode, got)
		}
	}
}

func TestClinical_WithoutIdentityAnswersThatItCannot(t *testing.T) {
	t.Parallel()
	d := divide(t)
	if err := d.identity.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := d.clinical.Biomarkers(t, d.tokens.Access)
	if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
		t.Errorf("it answers %d %s", r.StatusCode, r.Text)
	}
}

func TestClinical_BeforeIdentityDoesNotStart(t *testing.T) {
	t.Parallel()
	address := migrated(t)
	elsewhere := platformtest.NewOn(t, migrated(t), platform.RoleAll)
	if err := elsewhere.TryBeside(t, address, platform.RoleClinical); err == nil || !strings.Contains(err.Error(), "role identity or all first") {
		t.Errorf("got %v", err)
	}
}

// A question that nobody with the ring has asked just now is answered as an address
// that is not there.
func TestServer_AnswersOnlyWhoHasTheRing(t *testing.T) {
	t.Parallel()
	d := divide(t)
	path := "/internal/members/" + string(d.member.ID)
	ask := func(authorization string) *platformtest.Response {
		header := http.Header{}
		if authorization != "" {
			header.Set("Authorization", authorization)
		}
		return d.identity.Fetch(t, http.MethodGet, platformtest.Identity+path, header)
	}
	var overheard string
	own := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		overheard = r.Header.Get("Authorization")
		return nil, http.ErrServerClosed
	})}
	identity, err := url.Parse(platformtest.Identity)
	if err != nil {
		t.Fatal(err)
	}
	listen := func(ring *credential.Ring, id loop.MemberID) string {
		_, err := inquiry.NewClient(identity, own, nil, d.identity.World, ring).Person(t.Context(), id)
		if err == nil || overheard == "" {
			t.Fatalf("nothing was asked: %v", err)
		}
		return overheard
	}
	ring := d.identity.OAuth.Ring
	good := listen(ring, d.member.ID)
	if r := ask(good); r.StatusCode != http.StatusOK || r.JSON(t)["sex"] != "female" || r.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("a good question: %d %s", r.StatusCode, r.Text)
	}
	nothing := ask("")
	for name, authorization := range map[string]string{
		"with a member's token":    "Bearer " + d.tokens.Access,
		"of another ring":          listen(credentialtest.NewRing(t), d.member.ID),
		"about somebody else":      listen(ring, "user_00000000000000000000000000"),
		"that is cut off":          good[:len(good)-2],
		"that is not in base64url": "Loop-Inquiry !!!",
		"that is empty":            "Loop-Inquiry ",
	} {
		if r := ask(authorization); r.StatusCode != http.StatusNotFound || r.JSON(t)["error_description"] != nothing.JSON(t)["error_description"] {
			t.Errorf("a question %s: %d %s", name, r.StatusCode, r.Text)
		}
	}
	d.identity.World.Advance(61 * time.Second)
	if r := ask(good); r.StatusCode != http.StatusNotFound {
		t.Errorf("a question of a minute ago: %d", r.StatusCode)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
