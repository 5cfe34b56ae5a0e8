package platform_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

// clockCheck runs the clock's check of readiness.
func clockCheck(t *testing.T, p *platformtest.Platform) error {
	t.Helper()
	for _, check := range p.Checks() {
		if check.Name == "clock" {
			return check.Run(t.Context())
		}
	}
	t.Fatal("nothing checks the clock")
	return nil
}

func TestSec186_WhatCountsDownEndsAlthoughTheClockJumpedAheadAndBack(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	tokens := app.Redeem(app.Code(b, ada)).Pair(t)
	before := app.Code(b, ada)
	p.World.Jump(48 * time.Hour)
	if status := p.Biomarkers(t, tokens.Access).StatusCode; status != http.StatusUnauthorized {
		t.Errorf("ahead, an access token that is over by this clock is answered %d", status)
	}
	b = p.SignedIn(t, ada)
	ahead := app.Code(b, ada)
	late := app.Redeem(app.Code(b, ada)).Pair(t)
	p.World.Jump(-48 * time.Hour)
	if status := p.Biomarkers(t, tokens.Access).StatusCode; status != http.StatusOK {
		t.Errorf("right again, an access token whose time is not over is answered %d", status)
	}
	if status := p.Biomarkers(t, late.Access).StatusCode; status != http.StatusUnauthorized {
		t.Errorf("an access token that would live for two days is answered %d", status)
	}
	if got := app.Redeem(ahead).JSON(t)["error"]; got != "invalid_grant" {
		t.Errorf("a code that would live for two days is answered %v", got)
	}
	p.World.Advance(61 * time.Second)
	if got := app.Redeem(before).JSON(t)["error"]; got != "invalid_grant" {
		t.Errorf("a code after its minute is answered %v", got)
	}
	fresh := app.Redeem(app.Code(b, ada)).Pair(t)
	p.World.Advance(61 * time.Minute)
	if status := p.Biomarkers(t, fresh.Access).StatusCode; status != http.StatusUnauthorized {
		t.Errorf("an access token after its hour is answered %d", status)
	}
	if err := p.Run(t, "audit", "verify"); err != nil {
		t.Error(err)
	}
}

func TestSec186_ARevocationIsNotForgottenByAClockThatJumpedAhead(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	tokens := app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t)
	app.Send("/v1/oauth/revoke", map[string][]string{"token": {tokens.Access}}, nil)
	p.World.Jump(20 * 24 * time.Hour)
	if err := p.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.Restart(t)
	if err := p.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.World.Jump(-20 * 24 * time.Hour)
	if status := p.Biomarkers(t, tokens.Access).StatusCode; status != http.StatusUnauthorized {
		t.Errorf("a revoked access token is answered %d", status)
	}
}

func TestSec187_AClockThatIsBehindWhatIsStoredIsRedAndAnAlarm(t *testing.T) {
	t.Parallel()
	platformtest.OnSQLite(t) // where the machine's clock counts alone
	p := platformtest.New(t)
	if err := clockCheck(t, p); err != nil {
		t.Errorf("a clock that is right: %v", err)
	}
	p.World.Jump(48 * time.Hour)
	p.AddMember(t, "Ada") // leaves a record
	if err := clockCheck(t, p); err != nil {
		t.Errorf("nobody knows that it is ahead, and yet: %v", err)
	}
	p.World.Jump(-48 * time.Hour)
	if err := clockCheck(t, p); err == nil || !strings.Contains(err.Error(), "48h0m0s behind") {
		t.Errorf("two days behind what is stored: %v", err)
	}
	if ahead := p.Figures(t.Context()).ClockAhead; ahead != 48*time.Hour {
		t.Errorf("the metric says %s", ahead)
	}
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := p.TryOpen(); err == nil || !strings.Contains(err.Error(), "--clock-is-right") {
		t.Fatalf("a start two days behind what is stored: %v", err)
	}
	p.SayClockIsRight()
	p.Open(t)
	if err := clockCheck(t, p); err != nil {
		t.Errorf("once an operator has said that it is right: %v", err)
	}
	app, bea := p.AddApp(t, nil), p.AddMember(t, "Bea")
	app.Redeem(app.Code(p.NewBrowser(t), bea)).Pair(t)
	if err := p.Run(t, "audit", "verify"); err != nil {
		t.Error(err)
	}
}

func TestSec188_RecordsAreInTheOrderOfTheirTimesWhateverTheClockDoes(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	for _, by := range []time.Duration{0, 48 * time.Hour, -48 * time.Hour, -time.Hour} {
		p.World.Jump(by)
		p.World.Advance(time.Second)
		app.Redeem(app.Code(p.SignedIn(t, ada), ada)).Pair(t)
	}
	for _, room := range []string{"identity", "clinical"} {
		var back int
		err := p.Database(t, room).QueryRowContext(t.Context(), `SELECT count(*) FROM audit_records AS a JOIN audit_records AS b ON b.lane = a.lane AND b.number = a.number + 1 WHERE b.at < a.at`).Scan(&back)
		if err != nil || back != 0 {
			t.Errorf("%s: %d records are older than the one before them (%v)", room, back, err)
		}
	}
}
