package webhook_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

const resultEvents = "clinical.biomarker.parsed.v1,clinical.lab_result.critical.v1"

// addResult gives a member a result of synthetic data.
func addResult(t *testing.T, p *platformtest.Platform, m *loop.Member, flag biomarker.Status) loop.ResultID {
	t.Helper()
	value, err := biomarker.ParseDecimal("7.77")
	if err != nil {
		t.Fatal(err)
	}
	r := biomarker.Result{
		ID: loop.NewResultID(p.World), Code: "tsh", Value: value, Unit: "m[IU]/L", Source: "quest", Flag: flag,
		CollectedAt: p.World.Now().Add(-time.Hour), ParsedAt: p.World.Now(),
	}
	if err := p.Importer.Import(t.Context(), audit.Actor{Kind: audit.BySystem}, m.ID, []biomarker.Result{r}); err != nil {
		t.Fatal(err)
	}
	return r.ID
}

func TestSec467_NewResultsAreSentByIdAndOnlyToWhoMayReadThem(t *testing.T) {
	p, may, mayNot, inDevelopment := newPlatform(t), newReceiver(t), newReceiver(t), newReceiver(t)
	ada := p.AddMember(t, "Ada")
	reader, other := p.AddApp(t, nil), p.AddApp(t, nil)
	young := p.AddApp(t, func(c *loop.Client) { c.Mode, c.BAA = loop.Development, nil })
	for app, at := range map[*platformtest.App]*receiver{reader: may, other: mayNot, young: inDevelopment} {
		add(t, p, app, at, resultEvents)
	}
	b := p.NewBrowser(t)
	reader.Redeem(reader.Code(b, ada)).Pair(t)
	narrow := other.Request()
	narrow.Set("scope", "openid profile")
	b.Allow(narrow, ada)
	narrow = young.Request()
	narrow.Set("scope", "openid profile")
	b.Allow(narrow, ada)

	id := addResult(t, p, ada, biomarker.Normal)
	deliver(t, p)
	came := may.received()
	if len(came) != 1 {
		t.Fatalf("%d events came", len(came))
	}
	if e := came[0].event(t); e.Type != "clinical.biomarker.parsed.v1" || e.UserID != string(ada.ID) || e.ClientID != string(reader.ID) || len(e.Data) != 1 || e.Data["biomarker_ids"].([]any)[0] != string(id) {
		t.Errorf("the event is %s", came[0].body)
	}
	for _, value := range []string{"7.77", "tsh", "quest", ada.Name} {
		if bytes.Contains(came[0].body, []byte(value)) {
			t.Errorf("the event says %s", value)
		}
	}
	addResult(t, p, ada, biomarker.Critical)
	deliver(t, p)
	deliver(t, p) // what waited for the one before
	if types := may.types(t); types != strings.ReplaceAll(resultEvents, ",", " ") {
		t.Errorf("a critical result is sent as %s", types)
	}
	if types := mayNot.types(t) + inDevelopment.types(t); types != "" {
		t.Errorf("without the scope, %s is sent", types)
	}
}

// What the consent lost between the event and its sending is not sent.
func TestSec467_AScopeThatIsTakenAwayWithdrawsItsEvents(t *testing.T) {
	p, at := newPlatform(t), newReceiver(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	hook := add(t, p, app, at, resultEvents)
	app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t)
	at.answers(503)
	addResult(t, p, ada, biomarker.Normal)
	deliver(t, p)
	at.received()
	at.answers(200)
	if err := p.OAuth.NarrowGrant(t.Context(), ada.ID, grantOf(t, p, ada, app).ID, loop.NewScopes(loop.ScopeOpenID), byOperator); err != nil {
		t.Fatal(err)
	}
	p.World.Advance(time.Hour)
	deliver(t, p)
	if types := at.types(t); types != "" {
		t.Errorf("%s is sent", types)
	}
	if got := statuses(t, p, hook.ID); got != "withdrawn" {
		t.Errorf("the delivery is %s", got)
	}
}

// An app that lost its agreement with Loop is sent nothing of health data any more.
func TestSec467_AnAppBackInDevelopmentIsSentNoHealthEvents(t *testing.T) {
	p, at := newPlatform(t), newReceiver(t)
	app := p.AddApp(t, nil)
	ada, err := p.Accounts.Create(t.Context(), member.Account{Name: "Ada", Email: "ada@members.example", Password: platformtest.Password})
	if err != nil {
		t.Fatal(err)
	}
	hook := add(t, p, app, at, resultEvents)
	app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t)
	addResult(t, p, ada, biomarker.Normal)
	if err := p.Run(t, "client", "update", string(app.ID), "--mode", "development"); err != nil {
		t.Fatal(err)
	}
	deliver(t, p)
	if types, got := at.types(t), statuses(t, p, hook.ID); types != "" || got != "withdrawn" {
		t.Errorf("%q is sent, and the delivery is %s", types, got)
	}
}

// Whoever steals the databases learns of no event which it is: whose results are critical
// would be health data.
func TestSec468_WhatWaitsAndIsKeptIsSealed(t *testing.T) {
	platformtest.OnSQLite(t)
	p, at := newPlatform(t), newReceiver(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	add(t, p, app, at, resultEvents)
	app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t)
	addResult(t, p, ada, biomarker.Critical)
	for _, delivered := range []bool{false, true} {
		if delivered {
			deliver(t, p)
			deliver(t, p)
		}
		for _, room := range []string{"identity", "clinical"} {
			rows, err := p.Database(t, room).QueryContext(t.Context(), `SELECT id || kind || destination || order_key || CAST(payload AS TEXT) || failure FROM deliveries`)
			if err != nil {
				t.Fatal(err)
			}
			for rows.Next() {
				var text string
				if err := rows.Scan(&text); err != nil {
					t.Fatal(err)
				}
				if strings.Contains(text, "critical") || strings.Contains(text, "bmk_") {
					t.Errorf("delivered: %v, %s holds %s", delivered, room, text)
				}
			}
			if err := errors.Join(rows.Err(), rows.Close()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if types := at.types(t); !strings.Contains(types, "critical") {
		t.Errorf("sent is %q", types)
	}
}
