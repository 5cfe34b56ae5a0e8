package platform_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/oauth/clientauth"
	"github.com/loop-health/loop/internal/oauth/possession"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// TestIntrospection_OfAnAccessTokenAsksNoDatabase: once a client is known, its
// secret is compared and an access token judged in memory. The proof is that both
// go on when the databases are closed, where a single statement would fail.
func TestIntrospection_OfAnAccessTokenAsksNoDatabase(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	tokens := app.Redeem(app.Code(p.NewBrowser(t), p.AddMember(t, "Ada"))).Pair(t)
	revoked := app.Refresh(tokens.Refresh).Pair(t)
	if r := app.Send("/v1/oauth/revoke", url.Values{"token": {revoked.Access}}, nil); r.StatusCode != http.StatusOK {
		t.Fatalf("revoking: %d %s", r.StatusCode, r.Text)
	}
	introspect := func(token string) (*oauth.Introspection, error) {
		req := clientauth.Request{
			Evidence: possession.Evidence{Method: http.MethodPost, URLs: []string{p.OAuth.Issuer + oauth.IntrospectionPath}},
			Form:     url.Values{"client_id": {string(app.ID)}, "client_secret": {app.Secret}, "token": {token}},
		}
		client, err := p.OAuth.Clients.Authenticate(t.Context(), req)
		if err != nil {
			return nil, err
		}
		return p.OAuth.Introspect(t.Context(), client, req)
	}
	if introspected, err := introspect(tokens.Access); err != nil || !introspected.Active {
		t.Fatalf("before: %+v, %v", introspected, err)
	}
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, token string
		active      bool
	}{
		{"one that works", tokens.Access, true},
		{"one that was revoked", revoked.Access, false},
		{"one that was made up", "lph_at_" + tokens.Access[len("lph_at_x"):], false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if introspected, err := introspect(c.token); err != nil || introspected.Active != c.active {
				t.Errorf("%+v, %v", introspected, err)
			}
		})
	}
	t.Run("what does ask the database cannot be answered", func(t *testing.T) {
		if introspected, err := introspect(revoked.Refresh); err == nil || loop.AsError(err).Code != loop.TemporarilyUnavailable {
			t.Errorf("%+v, %v", introspected, err)
		}
	})
	t.Run("the endpoint around it asks no database either", func(t *testing.T) {
		platformtest.OnSQLite(t) // on PostgreSQL a process without a lease refuses everything
		r := app.Send(oauth.IntrospectionPath, url.Values{"token": {tokens.Access}}, nil)
		if r.StatusCode != http.StatusOK || r.JSON(t)["active"] != true {
			t.Errorf("%d %s", r.StatusCode, r.Text)
		}
	})
}
