package clinical_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// addResults gives a member of a whole platform a history of results.
func addResults(t *testing.T, p *platformtest.Platform, m *loop.Member) {
	t.Helper()
	results, err := p.Catalogue.Synthetic(m.ID, m.Sex, p.World.Now().Truncate(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Importer.Import(t.Context(), audit.Actor{Kind: audit.BySystem}, m.ID, results); err != nil {
		t.Fatal(err)
	}
}

// ask sends a read to clinical with a token.
func ask(t *testing.T, p *platformtest.Platform, path, token string) *platformtest.Response {
	t.Helper()
	return p.Fetch(t, http.MethodGet, platformtest.Clinical+path, http.Header{"Authorization": {"Bearer " + token}})
}

// resultsOf reads an answer.
func resultsOf(t *testing.T, r *platformtest.Response) answer {
	t.Helper()
	var a answer
	if err := json.Unmarshal([]byte(r.Text), &a); err != nil {
		t.Fatalf("%d %s: %v", r.StatusCode, r.Text, err)
	}
	return a
}

func TestSec099_NothingButAnAccessTokenIsOne(t *testing.T) {
	t.Parallel()
	const elsewhere = "https://orders.partner.example"
	p := platformtest.NewWith(t, func(c *platform.Config) {
		c.Resources = []loop.Resource{{Identifier: elsewhere, Scopes: []string{"orders:read"}, Format: loop.FormatJWT}}
	})
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	addResults(t, p, ada)
	b := p.NewBrowser(t)
	abroad := app.Request()
	abroad.Set("resource", elsewhere)
	jwt := app.Redeem(b.Allow(abroad, ada).Query().Get("code")).Pair(t).Access
	handle, _ := app.Send("/v1/oauth/par", app.Request(), nil).JSON(t)["request_uri"].(string)
	next := app.Refresh(app.Redeem(app.Code(b, ada)).Pair(t).Refresh).Pair(t)
	cases := map[string]string{
		"a refresh token": next.Refresh, "an ID token": next.ID, "a code": app.Code(b, ada), "a client's secret": app.Secret, "a client's id": string(app.ID),
		"a member's id": string(ada.ID), "a JWT of ours for somebody else": jwt, "a pushed request": strings.TrimPrefix(handle, "urn:ietf:params:oauth:request_uri:"), "a DPoP nonce": p.OAuth.Tokens.NewNonce(),
		"an access token with another prefix": "lph_rt_" + strings.TrimPrefix(next.Access, "lph_at_"), "one without its prefix": strings.TrimPrefix(next.Access, "lph_at_"),
		"one in capitals": strings.ToUpper(next.Access), "one with padding": next.Access + "=", "one with its last character gone": next.Access[:len(next.Access)-1],
		"one twice": next.Access + next.Access, "nothing but the prefix": "lph_at_",
	}
	for _, c := range b.Cookies(platformtest.Identity) {
		cases["the cookie "+c.Name] = c.Value
	}
	for i := range 40 {
		at := i * len(next.Access) / 40
		other := byte('A')
		if next.Access[at] == other {
			other = 'B'
		}
		cases[fmt.Sprintf("one changed at %d", at)] = next.Access[:at] + string(other) + next.Access[at+1:]
	}
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			for _, r := range []*platformtest.Response{p.Biomarkers(t, text), p.UserInfo(t, text)} {
				if r.StatusCode != http.StatusUnauthorized || r.JSON(t)["error"] != "invalid_token" || !strings.Contains(r.Header.Get("WWW-Authenticate"), `error="invalid_token"`) {
					t.Errorf("%d %s", r.StatusCode, r.Text)
				}
			}
		})
	}
	if r := p.Biomarkers(t, next.Access); r.StatusCode != http.StatusOK || resultsOf(t, r).Count == 0 {
		t.Errorf("and the token itself: %d %s", r.StatusCode, r.Text)
	}
}

func TestSec100_AMembersTokenOpensTheMembersOwn(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada, ben := p.AddApp(t, nil), p.AddMember(t, "Ada"), p.AddMember(t, "Ben")
	addResults(t, p, ada)
	addResults(t, p, ben)
	adas, bens := app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t).Access, app.Redeem(app.Code(p.NewBrowser(t), ben)).Pair(t).Access
	first := resultsOf(t, ask(t, p, "/v1/biomarkers/me?limit=1", bens))
	of, cursor := first.Biomarkers[0].ID, *first.NextCursor
	own := func(t *testing.T, r *platformtest.Response) {
		t.Helper()
		if strings.Contains(r.Text, string(ben.ID)) || strings.Contains(r.Text, string(of)) {
			t.Errorf("Ben's are in the answer: %s", r.Text)
		}
		for _, b := range resultsOf(t, r).Biomarkers {
			if b.PatientID != ada.ID {
				t.Errorf("%s is in the answer", b.PatientID)
			}
		}
	}
	for name, query := range map[string]url.Values{
		"a patient": {"patient_id": {string(ben.ID)}}, "a user": {"user_id": {string(ben.ID)}}, "a member": {"member": {string(ben.ID)}}, "a subject": {"sub": {string(ben.ID)}},
		"a result": {"id": {string(of)}}, "results": {"ids": {string(of)}, "id[]": {string(of)}}, "a code": {"code": {"tsh"}, "patient_id": {string(ben.ID)}},
	} {
		t.Run("in a filter: "+name, func(t *testing.T) { own(t, ask(t, p, "/v1/biomarkers/me?"+query.Encode(), adas)) })
	}
	t.Run("by a cursor", func(t *testing.T) {
		r := ask(t, p, "/v1/biomarkers/me?cursor="+cursor, adas)
		own(t, r)
		made := ask(t, p, "/v1/biomarkers/me?cursor="+strings.Repeat("A", len(cursor)), adas)
		if r.StatusCode != http.StatusBadRequest || resultsOf(t, r).ErrorText != resultsOf(t, made).ErrorText {
			t.Errorf("%d %s; a made-up one: %d %s", r.StatusCode, r.Text, made.StatusCode, made.Text)
		}
	})
	absent := func(path string) (status int, said any) {
		r := ask(t, p, path, adas)
		own(t, r)
		return r.StatusCode, r.JSON(t)["error_description"]
	}
	for _, pattern := range []string{"/v1/biomarkers/%s", "/v1/biomarkers/me/%s", "/v1/biomarkers/%s/me", "/v1/users/%s/biomarkers", "/v1/lab_results/%s", "/v1/grants/%s"} {
		for name, ids := range map[string][2]string{
			"a member": {string(ben.ID), "user_01KAXYZ0000000000000000000"}, "a result": {string(of), "bmk_01KAXYZ0000000000000000000"},
			"a lab result": {"lab_01KAXYZ0000000000000000001", "lab_01KAXYZ0000000000000000000"}, "a grant": {"grant_01KAXYZ0000000000000000001", "grant_01KAXYZ0000000000000000000"},
		} {
			t.Run(pattern+" "+name, func(t *testing.T) {
				status, said := absent(fmt.Sprintf(pattern, ids[0]))
				none, noneSaid := absent(fmt.Sprintf(pattern, ids[1]))
				if status != http.StatusNotFound || none != status || said != noneSaid {
					t.Errorf("another's: %d %v, absent: %d %v", status, said, none, noneSaid)
				}
			})
		}
	}
	t.Run("userinfo", func(t *testing.T) {
		r := p.Fetch(t, http.MethodGet, platformtest.Identity+"/v1/oauth/userinfo?sub="+string(ben.ID), http.Header{"Authorization": {"Bearer " + adas}})
		if r.JSON(t)["sub"] != string(ada.ID) {
			t.Errorf("it is about %v", r.JSON(t)["sub"])
		}
	})
	t.Run("the other way round it is Ben's", func(t *testing.T) {
		if r := resultsOf(t, ask(t, p, "/v1/biomarkers/me?limit=1", bens)); r.Biomarkers[0].ID != of || r.Biomarkers[0].PatientID != ben.ID {
			t.Errorf("it is %+v", r.Biomarkers)
		}
	})
}

func TestSec103_EveryRouteWithEveryScope(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	all := loop.NewScopes()
	for _, row := range loop.ScopeRegistry() {
		all = all.Or(loop.NewScopes(row.Scope))
	}
	app := p.AddApp(t, func(c *loop.Client) { c.AllowedScopes = all })
	ada, b := p.AddMember(t, "Ada"), p.NewBrowser(t)
	routes := map[string]loop.Scope{ // what each address needs
		platformtest.Identity + "/v1/oauth/userinfo":  loop.ScopeOpenID,
		platformtest.Clinical + "/v1/biomarkers/me":   loop.ScopeReadBiomarkers,
		platformtest.Clinical + "/v1/biomarkers/me?x": loop.ScopeReadBiomarkers,
	}
	for set := 1; set < 1<<len(all); set++ { // every set of scopes
		var held []loop.Scope
		for i, scope := range all {
			if set&(1<<i) != 0 {
				held = append(held, scope)
			}
		}
		scopes := loop.NewScopes(held...)
		request := app.Request()
		request.Set("scope", scopes.String())
		token := app.Redeem(b.Allow(request, ada).Query().Get("code")).Pair(t)
		if token.Scope != scopes.String() {
			t.Fatalf("the token has %q, not %q", token.Scope, scopes)
		}
		for address, needed := range routes {
			r := p.Fetch(t, http.MethodGet, address, http.Header{"Authorization": {"Bearer " + token.Access}})
			challenge := r.Header.Get("WWW-Authenticate")
			switch {
			case scopes.Has(needed):
				if r.StatusCode != http.StatusOK || challenge != "" {
					t.Errorf("%s with %q: %d %s", address, scopes, r.StatusCode, r.Text)
				}
			case r.StatusCode != http.StatusForbidden || r.JSON(t)["error"] != "insufficient_scope" ||
				!strings.Contains(challenge, `error="insufficient_scope", scope="`+string(needed)+`"`) || strings.Contains(r.Text, "bmk_"):
				t.Errorf("%s with %q: %d, %q, %s", address, scopes, r.StatusCode, challenge, r.Text)
			}
		}
		if info := p.UserInfo(t, token.Access); info.StatusCode == http.StatusOK {
			claims := info.JSON(t)
			if (claims["email"] != nil) != scopes.Has(loop.ScopeEmail) || (claims["name"] != nil) != scopes.Has(loop.ScopeProfile) {
				t.Errorf("with %q userinfo says %v", scopes, claims)
			}
		}
	}
}

func TestSec105_ForgedParametersAreNamed(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	addResults(t, p, ada)
	token := app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t).Access
	for _, value := range []string{"-1", "0", "501", "1000000000", "99999999999999999999", "1e3", "0x10", "+5", " 5", "5 ", "٥", "5.0", "NaN", "1;DROP TABLE", "' OR 1=1 --", "\x00"} {
		r := ask(t, p, "/v1/biomarkers/me?limit="+url.QueryEscape(value), token)
		if said := resultsOf(t, r); r.StatusCode != http.StatusBadRequest || said.Biomarkers != nil || said.Field != "limit" && value != "\x00" {
			t.Errorf("limit=%q: %d %s", value, r.StatusCode, r.Text)
		}
	}
	for _, name := range []string{"code", "category", "status", "from", "to", "latest", "unit_system", "cursor"} {
		for _, value := range []string{"' OR 1=1 --", `"; DROP TABLE results; --`, "%", "_", "../../etc/passwd", "bmk_01KAXYZ0000000000000000000", strings.Repeat("A", 10<<10), "{{7*7}}", "\u202e"} {
			r := ask(t, p, "/v1/biomarkers/me?"+url.Values{name: {value}}.Encode(), token)
			if said := resultsOf(t, r); r.StatusCode != http.StatusBadRequest || said.Error != loop.ValidationError || said.Field != name || said.Biomarkers != nil {
				t.Errorf("%s=%.20q: %d %.200s", name, value, r.StatusCode, r.Text)
			}
		}
	}
	if r := ask(t, p, "/v1/biomarkers/me", token); r.StatusCode != http.StatusOK || resultsOf(t, r).Count == 0 {
		t.Errorf("afterwards: %d", r.StatusCode)
	}
}
