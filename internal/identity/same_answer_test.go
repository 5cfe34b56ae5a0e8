package identity_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

func TestRefresh_OfAnAppThatNobodyRegisteredIsAnsweredAlikeForTenSeconds(t *testing.T) {
	t.Parallel()
	p := newOpenToDocuments(t)
	app := p.AddDocumentApp(t)
	tokens := app.Redeem(app.Code(p.NewBrowser(t), p.AddMember(t, "Ada"))).Pair(t)
	p.World.Advance(time.Minute)

	answers := make([]string, 4)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i] = app.Refresh(tokens.Refresh).Text })
	}
	all.Wait()
	p.World.Advance(9 * time.Second)
	other := p.AddApp(t, nil)
	if _, err := p.Clients.SetEnabled(t.Context(), other.ID, operator, false); err != nil { // a revocation of somebody else's, in between
		t.Fatal(err)
	}
	answers = append(answers, app.Refresh(tokens.Refresh).Text)
	for i, answer := range answers {
		if answer != answers[0] {
			t.Errorf("answer %d is\n%s, the first was\n%s", i, answer, answers[0])
		}
	}
	next := app.Refresh(tokens.Refresh).Pair(t)
	if r := p.Biomarkers(t, next.Access); r.StatusCode != http.StatusOK || next.ID == "" {
		t.Errorf("a read with it: %d %s", r.StatusCode, r.Text)
	}
	p.World.Advance(2 * time.Second)
	refused(t, app.Refresh(tokens.Refresh), http.StatusBadRequest, "invalid_grant")
	if r := p.Biomarkers(t, next.Access); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("after a re-use beyond the grace its token reads: %d", r.StatusCode)
	}
}

func TestToken_OfAnAppThatNobodyRegisteredBasicWithoutASecretIsNone(t *testing.T) {
	t.Parallel()
	p := newOpenToDocuments(t)
	app := p.AddDocumentApp(t)
	request := with(app.Request(), "resource", "HTTPS://CLINICAL.platform.test/mcp/")
	code := p.NewBrowser(t).Allow(request, p.AddMember(t, "Ada")).Query().Get("code")
	asBasic := func(secret string) http.Header {
		return http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(string(app.ID))+":"+secret))}}
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {platformtest.Callback}, "code_verifier": {platformtest.Verifier}}
	refused(t, p.Post(t, platformtest.Identity+"/v1/oauth/token", form, asBasic("x")), http.StatusUnauthorized, "invalid_client")
	tokens := p.Post(t, platformtest.Identity+"/v1/oauth/token", form, asBasic("")).Pair(t)

	t.Run("a refresh without resource keeps that of the authorization", func(t *testing.T) {
		again := app.Refresh(tokens.Refresh).Pair(t)
		if r := p.Biomarkers(t, again.Access); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("a token for the tools opens the API: %d", r.StatusCode)
		}
	})
	t.Run("of a registered public app it is refused", func(t *testing.T) {
		public := p.AddApp(t, func(c *loop.Client) { c.Type = loop.Public })
		form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.Refresh}}
		refused(t, p.Post(t, platformtest.Identity+"/v1/oauth/token", form, basic(string(public.ID), "")), http.StatusUnauthorized, "invalid_client")
	})
}
