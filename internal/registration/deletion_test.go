package registration_test

import (
	"net/http"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

func TestSec480_NothingOfADeletedAppWorksAnyMore(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada, app := p.AddMember(t, "Ada"), p.AddApp(t, nil)
	b := p.NewBrowser(t)
	code := app.Code(b, ada)
	pair := app.Redeem(code).Pair(t)
	if r := p.Biomarkers(t, pair.Access); r.StatusCode != http.StatusOK {
		t.Fatalf("before: %d %s", r.StatusCode, r.Text)
	}
	if err := p.Run(t, "client", "delete", string(app.ID)); err != nil {
		t.Fatal(err)
	}
	if r := p.Biomarkers(t, pair.Access); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("its access token: %d %s", r.StatusCode, r.Text)
	}
	if r := app.Refresh(pair.Refresh); r.StatusCode != http.StatusUnauthorized || r.JSON(t)["error"] != string(loop.InvalidClient) {
		t.Errorf("its refresh token: %d %s", r.StatusCode, r.Text)
	}
	if r := b.Authorize(app.Request()); r.StatusCode != http.StatusBadRequest {
		t.Errorf("its request for consent: %d", r.StatusCode)
	}
	if r := b.Get(platformtest.Identity + "/account/apps"); r.StatusCode != http.StatusOK {
		t.Errorf("the member's apps: %d", r.StatusCode)
	}
}

func TestDelete_LoopsOwnPortalStays(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	for _, c := range must(p.Clients.Store.Clients(t.Context())) {
		if err := p.Run(t, "client", "delete", string(c.ID)); c.FirstParty && err == nil {
			t.Error("it is deleted")
		}
	}
	if len(must(p.Clients.Store.Clients(t.Context()))) == 0 {
		t.Error("nothing is left")
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
