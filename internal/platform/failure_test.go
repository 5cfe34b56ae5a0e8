package platform_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

// steps is a platform in the middle of everything: each step is one request that
// would go on with something.
func steps(t *testing.T, p *platformtest.Platform) map[string]func() *platformtest.Response {
	t.Helper()
	app, keyed, ada := p.AddApp(t, nil), p.AddKeyApp(t, nil), p.AddMember(t, "Ada")
	b, fresh := p.NewBrowser(t), p.NewBrowser(t)
	tokens := app.Redeem(app.Code(b, ada)).Pair(t)
	keyed.Redeem(keyed.Code(b, ada)).Pair(t)
	code := app.Code(b, ada)
	request := app.Request()
	request.Set("prompt", "consent")
	consent := b.Follow(b.Authorize(request))
	signIn := fresh.Get(platformtest.Identity + "/signin")
	signUp := fresh.Get(platformtest.Identity + "/signup")
	handle, _ := app.Send("/v1/oauth/par", app.Request(), nil).JSON(t)["request_uri"].(string)
	return map[string]func() *platformtest.Response{
		"authorize": func() *platformtest.Response { return b.Authorize(app.Request()) },
		"a pushed request": func() *platformtest.Response {
			return b.Authorize(url.Values{"client_id": {string(app.ID)}, "request_uri": {handle}})
		},
		"pushing":   func() *platformtest.Response { return app.Send("/v1/oauth/par", app.Request(), nil) },
		"consent":   func() *platformtest.Response { return b.Decide(consent, "allow", "profile") },
		"denial":    func() *platformtest.Response { return b.Decide(consent, "deny") },
		"a code":    func() *platformtest.Response { return app.Redeem(code) },
		"a refresh": func() *platformtest.Response { return app.Refresh(tokens.Refresh) },
		"revocation": func() *platformtest.Response {
			return app.Send("/v1/oauth/revoke", url.Values{"token": {tokens.Refresh}}, nil)
		},
		"revoking one token": func() *platformtest.Response {
			return app.Send("/v1/oauth/revoke", url.Values{"token": {tokens.Access}}, nil)
		},
		"introspection": func() *platformtest.Response {
			return app.Send("/v1/oauth/introspect", url.Values{"token": {tokens.Refresh}}, nil)
		},
		"a client's assertion": func() *platformtest.Response { return keyed.Refresh("lph_rt_none") },
		"userinfo":             func() *platformtest.Response { return p.UserInfo(t, tokens.Access) },
		"reading":              func() *platformtest.Response { return p.Biomarkers(t, tokens.Access) },
		"sign-in": func() *platformtest.Response {
			return fresh.Post(platformtest.Identity+"/signin", url.Values{"csrf": {signIn.Field("csrf")}, "email": {string(ada.Email)}, "password": {platformtest.Password}})
		},
		"sign-up": func() *platformtest.Response {
			return fresh.Post(platformtest.Identity+"/signup", url.Values{
				"csrf": {signUp.Field("csrf")}, "name": {"Bob"}, "email": {"bob@people.example"}, "password": {platformtest.Password},
			})
		},
		"sign-out": func() *platformtest.Response {
			return b.Post(platformtest.Identity+"/signout", url.Values{"csrf": {consent.Field("csrf")}})
		},
	}
}

// nothingIssued fails the test where an answer is not a refusal for now.
func nothingIssued(t *testing.T, what string, r *platformtest.Response) {
	t.Helper()
	if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Location") != "" {
		t.Errorf("%s: %d, location %q", what, r.StatusCode, r.Header.Get("Location"))
	}
	for _, never := range []string{"lph_", "urn:ietf", `"active"`, `"sub"`, "bmk_", "sql", "database", "no such table", "disk", ".go:", "goroutine"} {
		if strings.Contains(strings.ToLower(r.Text), never) {
			t.Errorf("%s: the answer holds %q: %s", what, never, r.Text)
		}
	}
	if platformtest.HoldsJWT(r.Text) {
		t.Errorf("%s: the answer holds a JWT: %s", what, r.Text)
	}
	for _, cookie := range r.Cookies() {
		if strings.Contains(cookie.Name, "session") {
			t.Errorf("%s: a session is set or taken", what)
		}
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") && r.JSON(t)["error"] != "temporarily_unavailable" {
		t.Errorf("%s: %s", what, r.Text)
	}
}

// stored is every row that a request could have changed.
func stored(t *testing.T, p *platformtest.Platform) string {
	t.Helper()
	var all strings.Builder
	for room, tables := range map[string][]string{
		"identity": {"clients", "members", "sessions", "grants", "receipts", "chains", "revocations", "pushed_requests", "assertions", "deliveries", "audit_records", "audit_tallies"},
		"clinical": {"audit_records", "audit_tallies"},
	} {
		db := p.Database(t, room)
		for _, table := range tables {
			dump(t, db, table, &all)
		}
	}
	return all.String()
}

// dump writes every row of a table.
func dump(t *testing.T, db *sql.DB, table string, to *strings.Builder) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT * FROM `+table+` ORDER BY 1, 2`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // Err says what went wrong
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		for i, value := range values {
			fmt.Fprintf(to, "%s.%s=%v ", table, columns[i], *value.(*any))
		}
		to.WriteString("\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

func TestSec121_WithoutADatabaseNothingIsIssued(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	all := steps(t, p)
	before := stored(t, p)
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	for what, step := range all {
		if what == "userinfo" { // the member is read, nothing is written
			continue
		}
		nothingIssued(t, what, step())
	}
	if after := stored(t, p); after != before {
		t.Errorf("something changed:\n%s", cmp.Diff(before, after))
	}
	p.Open(t)
	if err := p.Run(t, "audit", "verify"); err != nil {
		t.Error(err)
	}
	for _, what := range []string{"a refresh", "a code"} {
		if r := all[what](); r.StatusCode != http.StatusOK {
			t.Errorf("%s afterwards: %d %s", what, r.StatusCode, r.Text)
		}
	}
}

func TestSec121_OnAFullDiskNothingIsHalfDone(t *testing.T) {
	t.Parallel()
	platformtest.OnSQLite(t)
	p := platformtest.New(t)
	all := steps(t, p)
	db := p.Database(t, "identity")
	onEach := func(format string) { // table that takes a new row at the end of each act
		t.Helper()
		for _, table := range []string{"audit_records", "audit_tallies", "pushed_requests", "assertions"} {
			if _, err := db.ExecContext(t.Context(), fmt.Sprintf(format, table)); err != nil {
				t.Fatal(err)
			}
		}
	}
	before := stored(t, p)
	onEach(`CREATE TRIGGER full_%[1]s BEFORE INSERT ON %[1]s BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`)
	for what, step := range all {
		if what != "userinfo" && what != "reading" && what != "introspection" { // they write nothing here
			nothingIssued(t, what, step())
		}
	}
	if after := stored(t, p); after != before {
		t.Errorf("something changed:\n%s", cmp.Diff(before, after))
	}
	onEach(`DROP TRIGGER full_%s`)
	for _, what := range []string{"a refresh", "a code", "reading", "introspection"} {
		if r := all[what](); r.StatusCode != http.StatusOK {
			t.Errorf("%s afterwards: %d %s", what, r.StatusCode, r.Text)
		}
	}
	if err := p.Run(t, "audit", "verify"); err != nil {
		t.Error(err)
	}
}

func TestSec125_WhatWasMadeUpIsRefusedWithoutALookUp(t *testing.T) {
	t.Parallel()
	platformtest.OnSQLite(t) // on PostgreSQL a process without a lease refuses everything
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	tokens := app.Redeem(app.Code(b, ada)).Pair(t)
	code := app.Code(b, ada)
	if err := p.Close(context.Background()); err != nil { // whoever looks something up now says so
		t.Fatal(err)
	}
	madeUp := func(genuine string) []string {
		cut := len(genuine) - 12
		other := "A"
		if genuine[cut] == 'A' {
			other = "B"
		}
		return []string{genuine[:cut] + other + genuine[cut+1:], genuine[:len(genuine)-1], genuine + "A", genuine[:7] + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}
	}
	for _, text := range madeUp(tokens.Refresh) {
		if r := app.Refresh(text); r.JSON(t)["error"] != "invalid_grant" {
			t.Errorf("a refresh token: %d %s", r.StatusCode, r.Text)
		}
		if r := app.Send("/v1/oauth/introspect", url.Values{"token": {text}}, nil); strings.TrimSpace(r.Text) != `{"active":false}` {
			t.Errorf("introspection: %d %s", r.StatusCode, r.Text)
		}
		if r := app.Send("/v1/oauth/revoke", url.Values{"token": {text}}, nil); r.StatusCode != http.StatusOK {
			t.Errorf("revocation: %d %s", r.StatusCode, r.Text)
		}
	}
	for _, text := range madeUp(code) {
		if r := app.Redeem(text); r.JSON(t)["error"] != "invalid_grant" {
			t.Errorf("a code: %d %s", r.StatusCode, r.Text)
		}
	}
	for _, text := range madeUp(tokens.Access) {
		for _, r := range []*platformtest.Response{p.Biomarkers(t, text), p.UserInfo(t, text)} {
			if r.StatusCode != http.StatusUnauthorized {
				t.Errorf("an access token: %d %s", r.StatusCode, r.Text)
			}
		}
	}
	for _, text := range []string{"x", "loop_session_AAAA", strings.Repeat("A", 60)} {
		r := p.Fetch(t, http.MethodGet, platformtest.Identity+"/", http.Header{"Cookie": {"__Host-loop_session=" + text}})
		if r.StatusCode != http.StatusSeeOther {
			t.Errorf("a session: %d", r.StatusCode)
		}
	}
	for _, text := range []string{"x", "client_x", "client_01HXY00000000000000000000", "user_01HXY00000000000000000000Z"} {
		r := p.Post(t, platformtest.Identity+"/v1/oauth/token", url.Values{"client_id": {text}, "client_secret": {app.Secret}}, nil)
		if r.StatusCode != http.StatusUnauthorized {
			t.Errorf("a client: %d %s", r.StatusCode, r.Text)
		}
	}
	t.Run("and the genuine ones are looked up", func(t *testing.T) {
		nothingIssued(t, "a code", app.Redeem(code))
		nothingIssued(t, "a refresh token", app.Refresh(tokens.Refresh))
	})
}
