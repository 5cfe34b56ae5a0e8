package connecttest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/loop-health/loop/connect"
	"github.com/loop-health/loop/connect/connecttest"
)

const callback = "http://localhost:5000/callback"

func newClient(t *testing.T, config connect.Config) *connect.Client {
	t.Helper()
	client, err := connect.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestClient_ConnectsReadsAndRefreshes(t *testing.T) {
	t.Parallel()
	p := connecttest.New(t)
	ada := p.AddMember(t, "Ada")
	p.AddResults(t, ada, connecttest.Result{Code: "tsh", Value: "2.41"}, connecttest.Result{Code: "tsh", Value: "2.40", At: p.Clock.Now().Add(-48 * time.Hour)})
	client := newClient(t, p.NewApp(t, callback))
	login, err := p.Connect(t, client, ada)
	if err != nil || login.Member != ada.ID || !login.Tokens.Has("read:biomarkers") {
		t.Fatalf("got %+v, %v", login, err)
	}
	if profile, err := client.For(ada.ID).Profile(t.Context()); err != nil || profile.Name != "Ada" {
		t.Errorf("the profile is %+v, %v", profile, err)
	}
	var values []string
	for result, err := range client.For(ada.ID).Biomarkers.All(t.Context(), connect.BiomarkerQuery{Limit: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, result.Value.String())
	}
	if len(values) != 2 || values[0] != "2.41" || values[1] != "2.40" {
		t.Errorf("the results are %q", values)
	}
	p.Clock.Advance(2 * time.Hour)
	if _, err := client.For(ada.ID).Biomarkers.List(t.Context(), connect.BiomarkerQuery{}); err != nil {
		t.Errorf("with an access token that has expired: %v", err)
	}
	if asked, answered := p.Refreshes(); asked != 1 || answered != 1 {
		t.Errorf("%d refreshes were asked for, %d answered", asked, answered)
	}
	p.Clock.Advance(91 * 24 * time.Hour)
	for range 3 { // and nobody asks again and again
		if _, err := client.Tokens(t.Context(), ada.ID); !errors.Is(err, connect.ErrReconnect) {
			t.Errorf("after 91 days: %v", err)
		}
	}
	if asked, _ := p.Refreshes(); asked != 2 {
		t.Errorf("%d refreshes were asked for", asked)
	}
	if _, err := p.Connect(t, client, ada); err != nil {
		t.Errorf("connecting again: %v", err)
	}
}
