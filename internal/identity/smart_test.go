package identity_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

const (
	fhirBase    = platformtest.Clinical + "/fhir"
	smartScopes = "launch/patient openid fhirUser offline_access patient/Patient.read patient/Observation.rs?category=laboratory"
)

// smartApp is an app of SMART App Launch; public or confidential.
func smartApp(t *testing.T, p *platformtest.Platform, kind loop.ClientType) *platformtest.App {
	t.Helper()
	return p.AddApp(t, func(c *loop.Client) {
		c.AllowedScopes = loop.NewScopes(loop.ScopeOpenID, loop.ScopeReadDemographics, loop.ScopeReadBiomarkers)
		if kind == loop.Public {
			c.Type, c.Protocol.AuthMethod = loop.Public, loop.AuthNone
		}
	})
}

// read asks for a resource of FHIR.
func readFHIR(t *testing.T, p *platformtest.Platform, path, token string) *platformtest.Response {
	t.Helper()
	return p.Fetch(t, http.MethodGet, fhirBase+path, http.Header{"Authorization": {"Bearer " + token}})
}

func TestSMART_AStandaloneLaunch(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	patient := strings.Replace(string(ada.ID), "_", "-", 1)
	for _, kind := range []loop.ClientType{loop.Public, loop.Confidential} {
		t.Run(string(kind), func(t *testing.T) {
			app := smartApp(t, p, kind)
			b := p.NewBrowser(t)
			answer := app.Redeem(b.Allow(with(with(app.Request(), "scope", smartScopes), "aud", fhirBase+"/"), ada).Query().Get("code"))
			first := answer.Pair(t)
			const granted = "openid launch/patient fhirUser patient/Patient.read patient/Observation.rs?category=laboratory offline_access"
			if first.Scope != granted || answer.JSON(t)["patient"] != patient {
				t.Errorf("the answer says %q, %v", first.Scope, answer.JSON(t)["patient"])
			}
			if got := claims(t, first.ID)["fhirUser"]; got != fhirBase+"/Patient/"+patient {
				t.Errorf("fhirUser is %v", got)
			}
			for _, path := range []string{"/Patient/" + patient, "/Observation?patient=" + patient} {
				if r := readFHIR(t, p, path, first.Access); r.StatusCode != http.StatusOK {
					t.Errorf("%s: %d %s", path, r.StatusCode, r.Text)
				}
			}
			again := app.Refresh(first.Refresh)
			second := again.Pair(t)
			if second.Scope != granted || again.JSON(t)["patient"] != patient {
				t.Errorf("after a refresh the answer says %q, %v", second.Scope, again.JSON(t)["patient"])
			}
			narrower := refreshFor(app, second.Refresh, "patient/Observation.rs").Pair(t)
			if narrower.Scope != "patient/Observation.rs" || readFHIR(t, p, "/Patient/"+patient, narrower.Access).StatusCode != http.StatusForbidden {
				t.Errorf("after a narrower refresh the answer says %q", narrower.Scope)
			}
			refused(t, refreshFor(app, narrower.Refresh, "patient/*.rs profile"), http.StatusBadRequest, "invalid_scope")
		})
	}
}

func TestSMART_AnAppWithoutItsWordsIsAnsweredAsBefore(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	answer := app.Redeem(app.Code(p.NewBrowser(t), ada))
	tokens := answer.Pair(t)
	if _, named := answer.JSON(t)["patient"]; named || claims(t, tokens.ID)["fhirUser"] != nil {
		t.Errorf("a patient is named to who did not ask: %s", answer.Text)
	}
	if r := readFHIR(t, p, "/Observation", tokens.Access); r.StatusCode != http.StatusOK {
		t.Errorf("its token does not open FHIR: %d %s", r.StatusCode, r.Text)
	}
}

func TestSMART_ConsentIsInOurWordsAndTheAnswerInTheApps(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := smartApp(t, p, loop.Confidential), p.AddMember(t, "Ada")
	b := p.SignedIn(t, ada)
	page := b.Follow(b.Authorize(with(app.Request(), "scope", smartScopes)))
	for _, words := range []string{"See your lab results", "See your name, sex and birth date", "Know who you are"} {
		if !strings.Contains(page.Text, words) {
			t.Errorf("the page does not say %q", words)
		}
	}
	if strings.Contains(page.Text, "patient/") || strings.Contains(page.Text, "see your name,") {
		t.Errorf("the page speaks the app's words, or says that it can't see the name: %s", page.Text)
	}
	answer := app.Redeem(b.Decide(page, "allow", "read:biomarkers").Redirected(t).Query().Get("code"))
	if got := answer.Pair(t).Scope; got != "openid launch/patient fhirUser patient/Observation.rs?category=laboratory offline_access" {
		t.Errorf("what was left out is in the answer, or more is not: %q", got)
	}
}

func TestSec320_ATokenIsNotGivenForAServerThatPosesAsOurs(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := smartApp(t, p, loop.Public), p.AddMember(t, "Ada")
	b := p.SignedIn(t, ada)
	for _, aud := range []string{fhirBase, fhirBase + "/", platformtest.Clinical, strings.ToUpper(platformtest.Clinical[:8]) + platformtest.Clinical[8:] + "/fhir"} {
		if to := b.Allow(with(with(app.Request(), "scope", smartScopes), "aud", aud), ada); to.Query().Get("code") == "" {
			t.Errorf("aud=%s: %s", aud, to)
		}
	}
	for _, aud := range []string{
		"https://fhir.evil.example/fhir", fhirBase + "/r4", fhirBase + "//", fhirBase + "?x", fhirBase + "/Patient", "http" + strings.TrimPrefix(fhirBase, "https"),
		strings.Replace(fhirBase, "https://", "https://evil@", 1), fhirBase + "#x", "fhir", platformtest.Developers,
	} {
		to := b.Authorize(with(with(app.Request(), "scope", smartScopes), "aud", aud)).Redirected(t).Query()
		if to.Get("error") != "invalid_target" || to.Has("code") {
			t.Errorf("aud=%s: %v", aud, to)
		}
	}
	twice := with(app.Request(), "scope", smartScopes)
	twice["aud"] = []string{fhirBase, "https://fhir.evil.example"}
	if to := b.Authorize(twice).Redirected(t).Query(); to.Get("error") != "invalid_request" {
		t.Errorf("two aud: %v", to)
	}
	for _, resource := range []string{fhirBase, fhirBase + "/"} {
		tokens := app.Redeem(b.Allow(with(with(app.Request(), "scope", smartScopes), "resource", resource), ada).Query().Get("code")).Pair(t)
		if r := readFHIR(t, p, "/Observation", tokens.Access); r.StatusCode != http.StatusOK {
			t.Errorf("resource=%s: %d %s", resource, r.StatusCode, r.Text)
		}
	}
}

func TestSec322_ARefreshWithoutAClientIDIsThatOfAPublicClientAlone(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	unnamed := func(token string) *platformtest.Response {
		return p.Post(t, platformtest.Identity+"/v1/oauth/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}, nil)
	}
	public, confidential := smartApp(t, p, loop.Public), smartApp(t, p, loop.Confidential)
	of := func(app *platformtest.App) platformtest.Tokens {
		return app.Redeem(p.NewBrowser(t).Allow(with(app.Request(), "scope", smartScopes), ada).Query().Get("code")).Pair(t)
	}
	first := of(public)
	second := unnamed(first.Refresh).Pair(t)
	if r := readFHIR(t, p, "/Observation", second.Access); r.StatusCode != http.StatusOK {
		t.Errorf("its token: %d %s", r.StatusCode, r.Text)
	}
	held := of(confidential)
	refused(t, unnamed(held.Refresh), http.StatusUnauthorized, "invalid_client")
	confidential.Refresh(held.Refresh).Pair(t) // nothing was used up
	for _, forged := range []string{"", "lph_rt_made-up", first.Access, first.Refresh[:len(first.Refresh)-2] + "AA"} {
		if r := unnamed(forged); r.StatusCode < 400 || r.JSON(t)["access_token"] != nil {
			t.Errorf("%q: %d %s", forged, r.StatusCode, r.Text)
		}
	}
	refused(t, unnamed(first.Refresh), http.StatusBadRequest, "invalid_grant") // used before: the grant ends, as with a client_id
	refused(t, unnamed(second.Refresh), http.StatusBadRequest, "invalid_grant")
}

func TestSMART_TheConfigurationIsWhatIsSo(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	smart := p.Fetch(t, http.MethodGet, fhirBase+"/.well-known/smart-configuration", http.Header{"Origin": {"https://any.example"}, "Accept": {"text/html"}})
	if smart.StatusCode != http.StatusOK || smart.Header.Get("Content-Type") != "application/json" || smart.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Fatalf("%d %v", smart.StatusCode, smart.Header)
	}
	said, discovered := smart.JSON(t), metadata(t, p)
	for _, name := range []string{"issuer", "jwks_uri", "authorization_endpoint", "token_endpoint", "introspection_endpoint", "revocation_endpoint"} {
		if said[name] != discovered[name] || said[name] == nil {
			t.Errorf("%s is %v, and %v in discovery", name, said[name], discovered[name])
		}
	}
	if r := p.SignedIn(t, p.AddMember(t, "Ada")).Get(said["management_endpoint"].(string)); r.StatusCode != http.StatusOK {
		t.Errorf("the management endpoint: %d", r.StatusCode)
	}
	app, ben := smartApp(t, p, loop.Confidential), p.AddMember(t, "Ben")
	for _, scope := range said["scopes_supported"].([]any) {
		asked := "openid " + scope.(string)
		got := app.Redeem(p.NewBrowser(t).Allow(with(app.Request(), "scope", asked), ben).Query().Get("code")).Pair(t)
		if !slices.Contains(strings.Fields(got.Scope), scope.(string)) {
			t.Errorf("%s gives %q", scope, got.Scope)
		}
	}
}

func TestSec323_AScopeOfSMARTOpensNoMoreThanWasShown(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	b := p.SignedIn(t, ada)
	narrow := p.AddApp(t, func(c *loop.Client) { c.AllowedScopes = loop.NewScopes(loop.ScopeOpenID, loop.ScopeReadBiomarkers) })
	for scope, named := range map[string]string{"patient/*.rs": "read:demographics", "openid patient/Patient.read": "read:demographics"} {
		if to := b.Authorize(with(narrow.Request(), "scope", scope)).Redirected(t).Query(); to.Get("error") != "invalid_scope" || !strings.Contains(to.Get("error_description"), named) {
			t.Errorf("an app that may not ask for it, with %s: %v", scope, to)
		}
	}
	app := smartApp(t, p, loop.Confidential)
	for _, scope := range []string{"patient/Observation.r", "patient/Observation.cud", "patient/Condition.rs", "user/*.*", "launch/patient", "patient/Observation.rs?category=vital-signs"} {
		if to := b.Authorize(with(app.Request(), "scope", scope)).Redirected(t).Query(); to.Get("error") != "invalid_scope" {
			t.Errorf("%s alone: %v", scope, to)
		}
	}
	tokens := app.Redeem(b.Allow(with(app.Request(), "scope", "openid patient/Observation.* patient/Condition.rs system/*.rs"), ada).Query().Get("code")).Pair(t)
	if tokens.Scope != "openid patient/Observation.read" {
		t.Errorf("the answer says %q", tokens.Scope)
	}
	if r := readFHIR(t, p, "/Patient", tokens.Access); r.StatusCode != http.StatusForbidden {
		t.Errorf("results open the patient: %d %s", r.StatusCode, r.Text)
	}
	if r := p.Fetch(t, http.MethodPost, platformtest.Clinical+"/v1/biomarkers/me", http.Header{"Authorization": {"Bearer " + tokens.Access}}); r.StatusCode != http.StatusForbidden {
		t.Errorf("it writes: %d %s", r.StatusCode, r.Text)
	}
	unsigned := p.AddApp(t, func(c *loop.Client) { c.AllowedScopes, c.Mode, c.BAA = app.AllowedScopes, loop.Development, nil })
	if to := p.SignUp(t, "Real").Authorize(with(unsigned.Request(), "scope", "patient/Patient.rs")); !strings.Contains(to.Text+to.Header.Get("Location"), "invalid_scope") {
		t.Errorf("demographics are not health data to an app in development: %d %s", to.StatusCode, to.Header.Get("Location"))
	}
}
