package platform_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// TestIntrospection_AsksNoDatabase: with its stores closed the platform can
// execute no statement, and still answers for an access token to a client that
// authenticates by secret.
func TestIntrospection_AsksNoDatabase(t *testing.T) {
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	tokens := app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t)
	introspect := func(token string) (*oauth.Introspection, error) {
		req := oauth.ClientRequest{Method: "POST", Path: oauth.IntrospectionPath, Form: url.Values{
			"client_id": {string(app.ID)}, "client_secret": {app.Secret}, "token": {token},
		}}
		client, err := p.OAuth.Authenticate(t.Context(), req)
		if err != nil {
			return nil, err
		}
		return p.OAuth.Introspect(t.Context(), client, req)
	}
	if told, err := introspect(tokens.Access); err != nil || !told.Active { // the first one reads the client
		t.Fatalf("%+v, %v", told, err)
	}
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if told, err := introspect(tokens.Access); err != nil || !told.Active || told.Subject != string(ada.ID) {
		t.Errorf("without a database: %+v, %v", told, err)
	}
	if _, err := introspect(tokens.Refresh); err == nil {
		t.Error("a refresh token, which has a row, is answered without one: this test can't fail")
	}
}
