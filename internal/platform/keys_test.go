package platform_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

const day = 24 * time.Hour

// keyRow is a key as `loop keys list --json` shows it.
type keyRow struct {
	ID        int
	Purpose   string
	Algorithm string
	State     string
}

func keysOf(t *testing.T, p *platformtest.Platform, purpose string) []keyRow {
	t.Helper()
	text, err := p.RunWith(t, "", "keys", "list", "--json")
	if err != nil {
		t.Fatal(err)
	}
	var rows []keyRow
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return slices.DeleteFunc(rows, func(row keyRow) bool { return row.Purpose != purpose })
}

// active is the id of the key at work.
func active(t *testing.T, p *platformtest.Platform, purpose, algorithm string) string {
	t.Helper()
	for _, row := range keysOf(t, p, purpose) {
		if row.State == "active" && row.Algorithm == algorithm {
			return strconv.Itoa(row.ID)
		}
	}
	t.Fatalf("no key is at work for %s %s", purpose, algorithm)
	return ""
}

// keySet reads the published keys, by algorithm.
func keySet(t *testing.T, p *platformtest.Platform) map[string][]jose.JSONWebKey {
	t.Helper()
	r := p.NewBrowser(t).Get(platformtest.Identity + "/.well-known/jwks.json")
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(r.Text), &set); err != nil {
		t.Fatalf("%v: %s", err, r.Text)
	}
	byAlgorithm := map[string][]jose.JSONWebKey{}
	for _, key := range set.Keys {
		if !key.IsPublic() || key.KeyID == "" || key.Use != "sig" {
			t.Errorf("published: %s", r.Text)
		}
		byAlgorithm[key.Algorithm] = append(byAlgorithm[key.Algorithm], key)
	}
	return byAlgorithm
}

// pass moves the clock and lets the platform look at its keys.
func pass(t *testing.T, p *platformtest.Platform, by time.Duration) {
	t.Helper()
	p.World.Advance(by)
	if err := p.RotateKeys(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// rotate makes new keys for a purpose, and lets them take over; "" is for all.
func rotate(t *testing.T, p *platformtest.Platform, purpose ...string) {
	t.Helper()
	if err := p.Run(t, append([]string{"keys", "rotate"}, purpose...)...); err != nil {
		t.Fatal(err)
	}
	pass(t, p, 6*time.Minute)
}

func TestKeys_AStartMakesTheOnesThatAreMissing(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	before := keySet(t, p)
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	change(t, p, `DELETE FROM keys WHERE algorithm IN ('EdDSA', 'RS256', 'PS256')`)
	p.Open(t)
	after := keySet(t, p)
	for _, algorithm := range []string{"ES256", "EdDSA", "RS256", "PS256"} {
		if len(after[algorithm]) != 1 {
			t.Errorf("%d keys of %s", len(after[algorithm]), algorithm)
		}
	}
	if after["ES256"][0].KeyID != before["ES256"][0].KeyID {
		t.Error("the key that was there is gone")
	}
	if err := p.Run(t, "audit", "verify"); err != nil {
		t.Error(err)
	}
}

func TestKeys_AStartWithoutTheAuditKeyIsRefusedInOneSentence(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	change(t, p, `DELETE FROM keys WHERE purpose = 'audit'`)
	if err := p.TryOpen(); err == nil || !strings.Contains(err.Error(), "audit key") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
}

func TestKeys_ARefreshTokenIdleFor89DaysSurvivesThreeRotations(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	tokens := app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t)
	for range 3 {
		rotate(t, p, "refresh")
		pass(t, p, 29*day)
	}
	pass(t, p, 2*day-time.Hour)
	if rows := keysOf(t, p, "refresh"); len(rows) < 4 {
		t.Fatalf("after three rotations there are %d keys", len(rows))
	}
	next := app.Refresh(tokens.Refresh)
	if next.StatusCode != http.StatusOK {
		t.Fatalf("a refresh token idle for 89 days: %d %s", next.StatusCode, next.Text)
	}
	if r := app.Refresh(tokens.Refresh); r.JSON(t)["error"] != "invalid_grant" {
		t.Errorf("the same token again: %s", r.Text)
	}
	first := keysOf(t, p, "refresh")[0].ID
	pass(t, p, 5*day)
	if keysOf(t, p, "refresh")[0].ID == first {
		t.Error("a key is kept for longer than anything that it sealed can live")
	}
	if err := p.Run(t, "audit", "verify"); err != nil {
		t.Error(err)
	}
}

func TestKeys_ARotationSignsNobodyOutAndEndsNothing(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	results, err := p.Catalogue.Synthetic(ada.ID, ada.Sex, p.World.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Importer.Import(t.Context(), audit.Actor{Kind: audit.BySystem}, ada.ID, results); err != nil {
		t.Fatal(err)
	}
	b := p.NewBrowser(t)
	tokens := app.Redeem(app.Code(b, ada)).Pair(t)

	list := func(query string) *platformtest.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, platformtest.Clinical+"/v1/biomarkers/me?"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+tokens.Access)
		return p.NewBrowser(t).Do(r)
	}
	cursor, _ := list("limit=2").JSON(t)["next_cursor"].(string)
	if cursor == "" {
		t.Fatal("there is no second page")
	}
	signedIn := app.Request()
	signedIn.Set("prompt", "none")
	signingIn, pending := p.NewBrowser(t), app.Request()
	signInPage := signingIn.Follow(signingIn.Authorize(pending))
	asked := app.Request()
	asked.Set("prompt", "consent")
	consentPage := b.Follow(b.Authorize(asked))
	developer := p.NewBrowser(t)
	portal := developer.Follow(developer.Get(developer.Get(platformtest.Developers + "/apps/new").Redirected(t).String()))
	portal = developer.SignIn(portal, ada)
	portal = developer.Get(developer.Get(portal.Redirected(t).String()).Redirected(t).String())
	form := developer.Get(platformtest.Developers + "/apps/new")
	if form.Field("csrf") == "" {
		t.Fatalf("no form: %d %s", form.StatusCode, portal.Text)
	}

	rotate(t, p)
	if code := b.Decide(consentPage, "allow", "openid", "profile", "read:biomarkers").Redirected(t).Query().Get("code"); code == "" {
		t.Error("a consent page that lay open gives no code")
	}
	rotate(t, p)
	rotate(t, p)
	if r := list("limit=2&cursor=" + cursor); r.StatusCode != http.StatusOK {
		t.Errorf("a cursor: %d %s", r.StatusCode, r.Text)
	}
	if got := b.Authorize(signedIn).Redirected(t).Query(); got.Get("code") == "" {
		t.Errorf("a session at identity: %v", got)
	}
	if got := signingIn.SignIn(signInPage, ada).Redirected(t).Query(); got.Get("code") == "" {
		t.Errorf("a sign-in page that lay open: %v", got)
	}
	// Its sender signed in too long ago by now, and gets it back as it was filled in.
	sent := developer.Post(platformtest.Developers+"/apps/new", url.Values{"csrf": {form.Field("csrf")}, "name": {"Evening Labs"}})
	signIn := developer.Follow(developer.Get(developer.Get(sent.Redirected(t).String()).Redirected(t).String()))
	back := developer.Get(developer.Get(developer.SignIn(signIn, ada).Redirected(t).String()).Redirected(t).String())
	if back.Field("name") != "Evening Labs" {
		t.Errorf("a form of the portal that lay open: %d %s", back.StatusCode, back.Text)
	}
	for _, again := range []string{"", "after a restart"} {
		if again != "" {
			p.Restart(t)
		}
		other := p.NewBrowser(t)
		page := other.Follow(other.Get(other.Get(platformtest.Developers + "/apps").Redirected(t).String()))
		if r := other.Get(other.SignIn(page, ada).Redirected(t).String()); r.Header.Get("Location") != "/apps" {
			t.Errorf("signing in to the portal %s: %d %s", again, r.StatusCode, r.Text)
		}
	}
	if r := app.Refresh(tokens.Refresh); r.StatusCode != http.StatusOK {
		t.Errorf("a refresh token: %s", r.Text)
	}
}

func TestKeys_ARotationDisturbsNoRequestThatRuns(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	var running sync.WaitGroup
	done := make(chan struct{})
	for i := range 4 {
		tokens := app.Redeem(app.Code(p.NewBrowser(t), p.AddMember(t, "M"+string(rune('a'+i))))).Pair(t)
		running.Go(func() {
			for {
				r := app.Refresh(tokens.Refresh)
				if r.StatusCode != http.StatusOK {
					t.Errorf("refreshing: %d %s", r.StatusCode, r.Text)
					return
				}
				tokens = r.Pair(t)
				if r := p.Biomarkers(t, tokens.Access); r.StatusCode != http.StatusOK {
					t.Errorf("reading: %d", r.StatusCode)
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for range 5 {
		rotate(t, p)
	}
	close(done)
	running.Wait()
}

func TestKeys_ACodeSurvivesTheMomentAtWhichANewKeyTakesOver(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	if err := p.Run(t, "keys", "rotate", "code"); err != nil {
		t.Fatal(err)
	}
	pass(t, p, 5*time.Minute-20*time.Second)
	before := active(t, p, "code", "")
	code := app.Code(p.NewBrowser(t), p.AddMember(t, "Ada"))
	pass(t, p, 40*time.Second)
	if active(t, p, "code", "") == before {
		t.Fatal("the new key did not take over")
	}
	if r := app.Redeem(code); r.StatusCode != http.StatusOK {
		t.Errorf("the code: %d %s", r.StatusCode, r.Text)
	}
}

// TestKeys_SigningKeysAreKnownBeforeAndAfterTheySign lives through nine months,
// looking each day.
func TestKeys_SigningKeysAreKnownBeforeAndAfterTheySign(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	type life struct{ seen, signed, lastSigned, gone int }
	lives := map[string]*life{}
	for today := range 270 {
		for _, key := range keySet(t, p)["ES256"] {
			if lives[key.KeyID] == nil {
				lives[key.KeyID] = &life{seen: today, signed: -1}
			}
			lives[key.KeyID].gone = today + 1
		}
		token, err := p.OAuth.Minter.Signing.Sign(jose.ES256, "JWT", []byte(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := jose.ParseSignedCompact(token, credential.Algorithms())
		if err != nil {
			t.Fatal(err)
		}
		signer := lives[parsed.Signatures[0].Header.KeyID]
		if signer == nil {
			t.Fatalf("on day %d a key signs that is not published", today)
		}
		if signer.signed < 0 {
			signer.signed = today
		}
		signer.lastSigned = today
		pass(t, p, day)
	}
	if len(lives) != 4 { // at work on days 0, 90 and 180, and the one that is announced
		t.Fatalf("there were %d keys in 270 days", len(lives))
	}
	for kid, life := range lives {
		if life.signed > 0 && life.signed-life.seen < 14 {
			t.Errorf("%s was announced on day %d and signed on day %d", kid, life.seen, life.signed)
		}
		if over := life.signed >= 0 && life.lastSigned < 250; over && (life.gone-life.lastSigned < 14 || life.gone-life.lastSigned > 16 || life.lastSigned-life.signed < 89 || life.lastSigned-life.signed > 91) {
			t.Errorf("%s signed from day %d to day %d and was published until day %d", kid, life.signed, life.lastSigned, life.gone)
		}
	}
}

func TestSec036_AHintIsGoodWhileItsKeyIsKnown(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	hint := app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t).ID
	ask := func(hint string) string {
		t.Helper()
		request := app.Request()
		request.Set("id_token_hint", hint)
		request.Set("prompt", "none")
		return p.NewBrowser(t).Authorize(request).Redirected(t).Query().Get("error")
	}
	for _, step := range []struct {
		name string
		pass time.Duration
		want loop.Code
	}{
		{"while its key signs", 76 * day, loop.LoginRequired}, // the hint is read, and nobody is signed in
		{"while its key is kept", 20 * day, loop.LoginRequired},
		{"once its key is gone", 9 * day, loop.InvalidRequest},
	} {
		pass(t, p, step.pass)
		if got := ask(hint); got != string(step.want) {
			t.Errorf("%s: got %q, want %q", step.name, got, step.want)
		}
	}
	claims := []byte(`{"iss":"` + platformtest.Identity + `","sub":"` + string(ada.ID) + `","aud":"` + string(app.ID) + `"}`)
	for typ, want := range map[string]loop.Code{"JWT": loop.LoginRequired, "logout+jwt": loop.InvalidRequest, "at+jwt": loop.InvalidRequest, "": loop.InvalidRequest} {
		token, err := p.OAuth.Minter.Signing.Sign(jose.ES256, typ, claims)
		if err != nil {
			t.Fatal(err)
		}
		if got := ask(token); got != string(want) {
			t.Errorf("a token of the type %q as a hint: got %q, want %q", typ, got, want)
		}
	}
}

func TestKeysRevoke_EndsWhatTheKeyMadeAndNothingElse(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, func(c *loop.Client) { c.RefreshGrace = 30 * time.Second }), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	tokens := app.Redeem(app.Code(b, ada)).Pair(t)
	revoke := func(purpose, algorithm, says string) {
		t.Helper()
		before := active(t, p, purpose, algorithm)
		out, err := p.RunWith(t, "", "keys", "revoke", before)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out, says) || active(t, p, purpose, algorithm) == before {
			t.Errorf("revoking the key for %s says: %s", purpose, out)
		}
	}

	revoke("access", "", "apps refresh them")
	if r := p.Biomarkers(t, tokens.Access); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("an access token under a key that was revoked: %d", r.StatusCode)
	}
	ended := tokens.Access
	tokens = app.Refresh(tokens.Refresh).Pair(t)
	if r := p.Biomarkers(t, tokens.Access); r.StatusCode != http.StatusOK {
		t.Errorf("an access token under the key in its place: %d", r.StatusCode)
	}

	code := app.Code(b, ada)
	revoke("code", "", "apps begin again")
	if r := app.Redeem(code); r.JSON(t)["error"] != "invalid_grant" {
		t.Errorf("a code: %s", r.Text)
	}

	rotate(t, p, "refresh")
	before := tokens
	tokens = app.Refresh(before.Refresh).Pair(t) // under the new key, the one before under the old
	revoke("refresh", "", "connect those apps again")
	for name, token := range map[string]string{"the newest": tokens.Refresh, "the one before, within its grace": before.Refresh} {
		if r := app.Refresh(token); r.JSON(t)["error"] != "invalid_grant" {
			t.Errorf("%s: %s", name, r.Text)
		}
	}
	if r := p.Biomarkers(t, tokens.Access); r.StatusCode != http.StatusOK {
		t.Errorf("an access token under another key: %d", r.StatusCode)
	}
	again := app.Redeem(app.Code(b, ada)).Pair(t)
	if r := app.Refresh(again.Refresh); r.StatusCode != http.StatusOK {
		t.Errorf("a refresh token under the key in its place: %s", r.Text)
	}

	page := p.NewBrowser(t)
	signIn := page.Follow(page.Authorize(app.Request()))
	revoke("page", "", "loaded again")
	if r := page.Post(platformtest.Identity+"/signin", url.Values{"csrf": {signIn.Field("csrf")}, "continue": {signIn.Field("continue")}, "email": {string(ada.Email)}, "password": {platformtest.Password}}); r.StatusCode != http.StatusForbidden && r.StatusCode != http.StatusBadRequest {
		t.Errorf("a form: %d", r.StatusCode)
	}

	revoke("portal", "", "signed out of the portal")
	other := p.NewBrowser(t)
	login := other.Follow(other.Get(other.Get(platformtest.Developers + "/apps").Redirected(t).String()))
	if r := other.Get(other.SignIn(login, ada).Redirected(t).String()); r.Header.Get("Location") != "/apps" {
		t.Errorf("signing in to the portal with the secret in its place: %d %s", r.StatusCode, r.Text)
	}

	published := keySet(t, p)["RS256"][0].KeyID
	revoke("signing", "RS256", "read the key set again")
	if after := keySet(t, p)["RS256"]; len(after) != 1 || after[0].KeyID == published {
		t.Error("a signing key that was revoked is published")
	}
	p.Restart(t)
	if r := p.Biomarkers(t, ended); r.StatusCode != http.StatusUnauthorized {
		t.Error("a restart brought a key back")
	}
	if err := p.Run(t, "audit", "verify"); err != nil {
		t.Error(err)
	}
}

func TestKeysRevoke_RefusesInASentenceAndChangesNothing(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	access := active(t, p, "access", "")
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"a key that is not there":        {[]string{"revoke", access, "999"}, "no key 999"},
		"the audit key":                  {[]string{"revoke", access, active(t, p, "audit", "")}, "audit key stays"},
		"rotating the audit key":         {[]string{"rotate", "audit"}, "audit key stays"},
		"rotating for what has no keys":  {[]string{"rotate", "coffee"}, "there are keys for"},
		"rewrapping with no key at all":  {[]string{"rewrap", "--master-key-file", "x"}, "32 bytes in base64"},
		"rewrapping without naming one":  {[]string{"rewrap"}, "--master-key-file"},
		"revoking without naming a key":  {[]string{"revoke"}, "key"},
		"revoking something else by far": {[]string{"revoke", "lph_at_x"}, "lph_at_x"},
	} {
		if err := p.Run(t, append([]string{"keys"}, test.args...)...); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %v, want %q", name, err, test.says)
		}
	}
	if active(t, p, "access", "") != access {
		t.Error("a refusal revoked a key")
	}
}

func TestKeysRewrap_TheOldMasterKeyOpensNothingAnyMore(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	tokens := app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t)
	master, text := credential.NewMaster(loop.Machine{})
	rewrap := func() (string, error) {
		return p.RunWith(t, text+"\n", "keys", "rewrap", "--master-key-file", "new.key")
	}
	if out, err := rewrap(); err != nil || !strings.Contains(out, "LOOP_MASTER_KEY") {
		t.Fatalf("got %s, %v", out, err)
	}
	if _, err := rewrap(); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("the same master key again: %v", err)
	}
	tokens = app.Refresh(tokens.Refresh).Pair(t)
	rotate(t, p) // the process goes on with the new one
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := p.TryOpen(); err == nil || !strings.Contains(err.Error(), "master key") || strings.Contains(err.Error(), "\n") {
		t.Fatalf("starting with the old master key: %v", err)
	}
	p.SetMaster(master)
	p.Open(t)
	if r := app.Refresh(tokens.Refresh); r.StatusCode != http.StatusOK {
		t.Errorf("a refresh token from before: %s", r.Text)
	}
	if err := p.Run(t, "audit", "verify"); err != nil {
		t.Error(err)
	}
}
