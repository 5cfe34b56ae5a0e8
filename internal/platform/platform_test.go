package platform_test

import (
	"context"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

func TestMain(m *testing.M) {
	// Histories of each kind of app, and about how many steps each has; the flags on
	// the command line say otherwise.
	_ = flag.Set("rapid.checks", strconv.Itoa(share(25)))
	_ = flag.Set("rapid.steps", "50")
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("database/sql.(*DB).connectionOpener"), // ends by itself, soon after Close
	)
}

// lived is a platform on which some things have happened, closed.
func lived(t *testing.T) *platformtest.Platform {
	t.Helper()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	tokens := app.Redeem(app.Code(b, ada)).Pair(t)
	for range 3 {
		if r := p.Biomarkers(t, tokens.Access); r.StatusCode != http.StatusOK {
			t.Fatalf("reading: %d", r.StatusCode)
		}
		tokens = app.Refresh(tokens.Refresh).Pair(t)
	}
	if err := p.Run(t, "audit", "verify"); err != nil {
		t.Fatalf("before anything was changed: %v", err)
	}
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	return p
}

// change runs SQL on identity's database, as somebody with the file can.
func change(t *testing.T, p *platformtest.Platform, query string) {
	t.Helper()
	if platformtest.OnPostgres() {
		query = strings.NewReplacer("zeroblob(32)", "decode(repeat('00', 32), 'hex')", "randomblob(32)", "sha256(hash)").Replace(query)
	}
	result, err := p.Database(t, "identity").ExecContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	if n, _ := result.RowsAffected(); n == 0 {
		t.Fatalf("%s changed nothing", query)
	}
}

func TestAuditVerify_ShowsWhatWasDoneToTheRecord(t *testing.T) {
	t.Parallel()
	columns := []string{"event", "actor_kind", "actor_id", "member_id", "client_id", "grant_id", "request_id", "address", "detail"}
	attacks := map[string]string{
		"a record's time was moved":           `UPDATE audit_records SET at = at + 1 WHERE number = 2`,
		"a record's hash was changed":         `UPDATE audit_records SET hash = zeroblob(32) WHERE number = 2`,
		"a record's predecessor was changed":  `UPDATE audit_records SET previous = zeroblob(32) WHERE number = 2`,
		"the first record was deleted":        `DELETE FROM audit_records WHERE number = 1`,
		"one in the middle was deleted":       `DELETE FROM audit_records WHERE number = 3`,
		"the newest was deleted":              `DELETE FROM audit_records WHERE number = (SELECT max(number) FROM audit_records)`,
		"the whole lane was deleted":          `DELETE FROM audit_records`,
		"two records changed places":          `UPDATE audit_records SET number = CASE number WHEN 2 THEN -3 ELSE -2 END WHERE number IN (2, 3)`,
		"a record was moved to another lane":  `UPDATE audit_records SET lane = lane || '.other' WHERE number = 2`,
		"the chain was cut and made anew":     `UPDATE audit_records SET hash = randomblob(32), previous = randomblob(32) WHERE number >= 2`,
		"records were put behind the newest":  `INSERT INTO audit_records SELECT lane, number + 1, at, event, actor_kind, actor_id, member_id, client_id, grant_id, request_id, address, detail, hash, hash FROM audit_records WHERE number = (SELECT max(number) FROM audit_records)`,
		"a client was swapped for another's":  `UPDATE audit_records SET client_id = grant_id, grant_id = client_id WHERE client_id <> ''`,
		"characters moved between two fields": `UPDATE audit_records SET member_id = member_id || substr(client_id, 1, 1), client_id = substr(client_id, 2) WHERE client_id <> ''`,
	}
	for _, column := range columns {
		attacks["one byte more in "+column] = `UPDATE audit_records SET ` + column + ` = ` + column + ` || 'x' WHERE number = 4`
	}
	for name, query := range attacks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := lived(t)
			change(t, p, query)
			p.Open(t)
			if err := p.Run(t, "audit", "verify"); err == nil {
				t.Error("it went unseen")
			}
		})
	}
	t.Run("a checkpoint was changed", func(t *testing.T) {
		t.Parallel()
		p := lived(t)
		path := filepath.Join(p.Folder, "audit-checkpoints.jsonl")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.Replace(string(text), `"number":`, `"number":1`, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		p.Open(t)
		if err := p.Run(t, "audit", "verify"); err == nil || !strings.Contains(err.Error(), "checkpoint") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("nothing was done, and it passes after a restart", func(t *testing.T) {
		t.Parallel()
		p := lived(t)
		p.Open(t)
		if err := p.Run(t, "audit", "verify"); err != nil {
			t.Error(err)
		}
	})
}

func TestSec027_OfParallelRedemptionsOneWins(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	code := app.Code(p.NewBrowser(t), p.AddMember(t, "Ada"))
	var won atomic.Int32
	var access atomic.Value
	together(50, func() {
		r := app.Redeem(code)
		switch r.StatusCode {
		case http.StatusOK:
			won.Add(1)
			access.Store(r.Pair(t).Access)
		case http.StatusBadRequest:
		default:
			t.Errorf("status %d: %s", r.StatusCode, r.Text)
		}
	})
	if won.Load() != 1 {
		t.Fatalf("%d redemptions won", won.Load())
	}
	if r := p.Biomarkers(t, access.Load().(string)); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("RFC 6749 §4.1.2: the tokens of a code that was replayed still work: %d", r.StatusCode)
	}
}

func TestSec053_OfParallelRefreshesOneWinsAndTheGrantEnds(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	tokens := app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t)
	var won atomic.Int32
	together(50, func() {
		if app.Refresh(tokens.Refresh).StatusCode == http.StatusOK {
			won.Add(1)
		}
	})
	if won.Load() != 1 {
		t.Fatalf("%d refreshes won", won.Load())
	}
	if grant, err := p.OAuth.Ledger.LiveGrant(t.Context(), ada.ID, app.ID); err != nil || grant != nil {
		t.Errorf("the grant lives: %v, %v", grant, err)
	}
}

func TestSec054_AfterARevocationIsAnsweredNothingWorks(t *testing.T) {
	t.Parallel()
	rounds := 20
	if os.Getenv("LOOP_TEST_LONG") == "true" {
		rounds = 1000
	}
	p := platformtest.New(t)
	run := func(args ...string) {
		t.Helper()
		if err := p.Run(t, args...); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		end  func(grant, member, client string) error
		mend func(member, client string) // so that the next round can begin
	}{
		"the grant is revoked": {
			func(grant, _, _ string) error { return p.Run(t, "grant", "revoke", grant) },
			func(string, string) {},
		},
		"the member suspended": {
			func(_, member, _ string) error { return p.Run(t, "user", "suspend", member) },
			func(member, _ string) { run("user", "resume", member) },
		},
		"the client disabled": {
			func(_, _, client string) error { return p.Run(t, "client", "disable", client) },
			func(_, client string) { run("client", "enable", client) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			app, m := p.AddApp(t, nil), p.AddMember(t, "M"+strings.ReplaceAll(name, " ", ""))
			for round := range rounds {
				tokens := app.Redeem(app.Code(p.SignedIn(t, m), m)).Pair(t)
				grant, err := p.OAuth.Ledger.LiveGrant(t.Context(), m.ID, app.ID)
				if err != nil {
					t.Fatal(err)
				}
				var (
					mu   sync.Mutex
					held = []platformtest.Tokens{tokens}
				)
				together(4, func() {
					mu.Lock()
					newest := held[len(held)-1]
					mu.Unlock()
					if r := app.Refresh(newest.Refresh); r.StatusCode == http.StatusOK {
						mu.Lock()
						held = append(held, r.Pair(t))
						mu.Unlock()
					} else if err := c.end(string(grant.ID), string(m.ID), string(app.ID)); err != nil {
						t.Error(err)
					}
				})
				if err := c.end(string(grant.ID), string(m.ID), string(app.ID)); err != nil {
					t.Fatal(err)
				}
				for _, pair := range held {
					if r := p.Biomarkers(t, pair.Access); r.StatusCode != http.StatusUnauthorized {
						t.Fatalf("round %d: an access token works: %d", round, r.StatusCode)
					}
					if r := app.Refresh(pair.Refresh); r.StatusCode == http.StatusOK {
						t.Fatalf("round %d: a refresh token works", round)
					}
				}
				c.mend(string(m.ID), string(app.ID))
			}
		})
	}
}

// together runs f that many times at once.
func together(times int, f func()) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for range times {
		all.Go(func() {
			<-start
			f()
		})
	}
	close(start)
	all.Wait()
}

func TestSec055_AReplayIsAReplayAfterARestart(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	first := app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t)
	second := app.Refresh(first.Refresh).Pair(t)
	p.Restart(t)
	if r := p.Biomarkers(t, second.Access); r.StatusCode != http.StatusOK {
		t.Fatalf("a restart ended an access token: %d", r.StatusCode)
	}
	if r := app.Refresh(first.Refresh); r.JSON(t)["error"] != "invalid_grant" {
		t.Fatalf("got %s", r.Text)
	}
	p.Restart(t)
	if r := p.Biomarkers(t, second.Access); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("a restart forgot a revocation: %d", r.StatusCode)
	}
}

func TestStart_ChangesNothingOfWhatIsThere(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	before := p.Count(t, "identity", "audit_records")
	p.Open(t)
	p.Restart(t)
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if after := p.Count(t, "identity", "audit_records"); after != before {
		t.Errorf("two starts left %d records", after-before)
	}
	p.Open(t)
}

func TestSec188_WhatIsOverStaysSoWhereTheClockIsSetBack(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	tokens := app.Redeem(app.Code(b, ada)).Pair(t)
	code := app.Code(b, ada)
	p.World.Advance(2 * time.Hour)
	app.Code(b, ada) // stores the later time
	p.World.Jump(-3 * time.Hour)
	look := func(when string) {
		t.Helper()
		if r := p.Biomarkers(t, tokens.Access); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: an expired access token lives again: %d", when, r.StatusCode)
		}
		if r := app.Redeem(code); r.JSON(t)["error"] != "invalid_grant" {
			t.Errorf("%s: an expired code lives again: %s", when, r.Text)
		}
	}
	look("set back")
	p.SayClockIsRight()
	p.Restart(t)
	look("after a start")
}

func TestSweep_DeletesWhatHasExpiredAndNothingElse(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	idle := app.Redeem(app.Code(p.NewBrowser(t), p.AddMember(t, "Idle"))).Pair(t)
	p.World.Advance(89 * 24 * time.Hour)
	if err := p.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := app.Refresh(idle.Refresh); r.StatusCode != http.StatusOK {
		t.Fatalf("a refresh token idle for 89 days: %d %s", r.StatusCode, r.Text)
	}
	p.World.Advance(92 * 24 * time.Hour)
	if err := p.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"chains", "sessions", "revocations"} {
		if rows := p.Count(t, "identity", table); rows != 0 {
			t.Errorf("%s: %d rows are left", table, rows)
		}
	}
	p.Open(t)
}

func TestDatabase_OfANewerVersionIsRefusedInOneSentence(t *testing.T) {
	t.Parallel()
	platformtest.OnSQLite(t)
	p := lived(t)
	change(t, p, `INSERT INTO schema_migrations (part, number, name, applied_at) VALUES ('room', 999, '0999_future.sql', 1)`)
	err := p.TryOpen()
	if err == nil || !strings.Contains(err.Error(), "newer version") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
}

func TestStoreFailure_IsSaidAndIssuesNothing(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	tokens := app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t)
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]*platformtest.Response{"reading": p.Biomarkers(t, tokens.Access), "refreshing": app.Refresh(tokens.Refresh)} {
		if r.StatusCode != http.StatusServiceUnavailable || strings.Contains(r.Text, "access_token") {
			t.Errorf("Sec121 %s without a database: %d %s", name, r.StatusCode, r.Text)
		}
		if r.Header.Get("Retry-After") != "1" {
			t.Errorf("%s without a database: nothing was written, and it does not say when to try again: %v", name, r.Header)
		}
	}
	p.Open(t)
	if r := app.Refresh(tokens.Refresh); r.StatusCode != http.StatusOK {
		t.Errorf("the same token afterwards: %d %s", r.StatusCode, r.Text)
	}
}
